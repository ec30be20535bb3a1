// The rows that link custom resources to what was made for them, and what the last checks have found about these.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** The kinds whose objects are linked and checked, and what their rows are called there. */
export const linkedKinds = {
  GitOpsDeploymentManagedEnvironment: 'ManagedEnvironment',
  GitOpsDeploymentRepositoryCredential: 'RepositoryCredential',
} as const;
/** One of them. */
export type LinkedKind = keyof typeof linkedKinds;

/** An object, and the row that stands for it. */
export interface ResourceLink {
  readonly kind: LinkedKind;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly generation: number;
  /** Id of the row. */
  readonly key: string;
}

const link = statement(
  'resource-link',
  `
insert into apicrtodatabasemapping (
  api_resource_type, api_resource_uid, api_resource_name, api_resource_namespace, api_resource_namespace_uid,
  db_relation_type, db_relation_key, generation
) values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (api_resource_type, api_resource_uid, db_relation_type) do update set
  api_resource_name = excluded.api_resource_name, api_resource_namespace = excluded.api_resource_namespace,
  api_resource_namespace_uid = excluded.api_resource_namespace_uid, db_relation_key = excluded.db_relation_key,
  generation = excluded.generation`,
);

/** Links an object to its row; what it was linked to before, it is no more. */
export const linkResource = async (tx: Queryable, made: ResourceLink): Promise<void> => {
  await tx.query(link, [
    made.kind,
    made.uid,
    made.name,
    made.namespace,
    made.namespaceUid,
    linkedKinds[made.kind],
    made.key,
    made.generation,
  ]);
};

/** What a check outside has found about an object. */
export interface CheckResult {
  readonly kind: LinkedKind;
  readonly uid: string;
  readonly inputHash: string;
  /** '' when all was well. */
  readonly reason: string;
  readonly message: string;
  readonly now: string;
}

const note = statement(
  'check-note',
  `
insert into probe_result (kind, uid, input_hash, reason, message, checked_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (kind, uid) do update set input_hash = excluded.input_hash, reason = excluded.reason,
  message = excluded.message, checked_at = excluded.checked_at`,
);

/** Notes what a check has found, in place of what the last one had. */
export const noteCheck = async (db: Queryable, found: CheckResult): Promise<void> => {
  await db.query(note, [found.kind, found.uid, found.inputHash, found.reason, found.message, found.now]);
};
