// The rows that the oracle compares, read as another program would read them.
import { readSpecField } from '../../src/domain/spec-field.ts';
import { CREDENTIAL_ROWS, type CredentialRow } from './credential-oracle.ts';
import { ENVIRONMENT_ROWS, type EnvironmentRow } from './environment-oracle.ts';
import { SYNC_ROWS, type SyncRow } from './sync-oracle.ts';

/** A tenant's row. */
export interface TenantRow {
  readonly id: string;
  readonly namespaceUid: string;
}

/** A deployment's link with what hangs on it. */
export interface LinkRow {
  readonly deploymentUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly generation: number | null;
  readonly applicationId: string;
  readonly ownerId: string | null;
  /** What its row asks for, as far as the oracle compares it. */
  readonly row: unknown;
  /** The stored status; null before the first report. */
  readonly stored: { readonly blob: Buffer | null; readonly hash: string | null } | null;
}

/** What there is of the rest. */
export interface Rows {
  readonly tenants: readonly TenantRow[];
  readonly links: readonly LinkRow[];
  readonly syncs: readonly SyncRow[];
  readonly environments: readonly EnvironmentRow[];
  readonly credentials: readonly CredentialRow[];
  /** Keys of repositories by tenant. */
  readonly repositories: readonly { readonly userId: string; readonly url: string }[];
  /** How many rows there are, by table. */
  readonly counts: Readonly<Record<string, number>>;
  /** Open and ended tickets, deletions under way, and what is to be removed elsewhere, as sentences. */
  readonly pending: readonly string[];
}

interface Reader {
  sql<Row = Record<string, unknown>>(text: string): Promise<Row[]>;
}

interface LinkRecord extends Omit<LinkRow, 'row' | 'stored'> {
  readonly specField: string;
  readonly hasState: boolean;
  readonly blob: Buffer | null;
  readonly hash: string | null;
}

const LINKS = `
select l.deploymenttoapplicationmapping_uid_id as "deploymentUid", l.name, l.namespace,
  l.namespace_uid as "namespaceUid", l.generation::int, a.application_id as "applicationId",
  o.application_owner_user_id as "ownerId", a.spec_field as "specField",
  s.applicationstate_application_id is not null as "hasState", s.argocd_application_status as blob,
  s.content_hash as hash
from deploymenttoapplicationmapping l
join application a using (application_id)
left join applicationowner o on o.application_owner_application_id = a.application_id
left join applicationstate s on s.applicationstate_application_id = a.application_id`;

const PENDING = `
select 'Operation ' || operation_id || ' (' || state || ', ' || resource_type || ' ' || resource_id ||
    coalesce(': ' || human_readable_state, '') || ')' as text
  from operation
union all select 'deletion of ' || namespace_uid || '/' || name || ' (' || deployment_uid || ')' from deletion
union all select 'refresh of ' || application_id from refresh_request
union all select 'clean-up of ' || service_account || ' on ' || host from environment_cleanup`;

const counted = [
  'application',
  'applicationowner',
  'appprojectmanagedenvironment',
  'applicationstate',
  'clusteraccess',
  'clustercredentials',
  'deploymenttoapplicationmapping',
  'gitopsenginecluster',
  'gitopsengineinstance',
  'managedenvironment',
  'kubernetestodbresourcemapping',
  'repositorycredentials',
];

/** Reads the rows. */
export const readRows = async (database: Reader): Promise<Rows> => {
  const [tenants, links, repositories, counts, pending, syncs, environments, credentials] = await Promise.all([
    database.sql<TenantRow>('select clusteruser_id as id, user_name as "namespaceUid" from clusteruser order by 2'),
    database.sql<LinkRecord>(LINKS),
    database.sql<{ userId: string; url: string }>(
      'select clusteruser_id as "userId", repo_url as url from appprojectrepository order by 2',
    ),
    database.sql<{ name: string; count: number }>(
      counted.map((name) => `select '${name}' as name, count(*)::int as count from ${name}`).join(' union all '),
    ),
    database.sql<{ text: string }>(PENDING),
    database.sql<SyncRow>(SYNC_ROWS),
    database.sql<EnvironmentRow>(ENVIRONMENT_ROWS),
    database.sql<CredentialRow>(CREDENTIAL_ROWS),
  ]);
  return {
    tenants,
    links: links.map(({ specField, hasState, blob, hash, ...link }) => ({
      ...link,
      row: rowOf(specField),
      stored: hasState ? { blob, hash } : null,
    })),
    syncs,
    environments,
    credentials,
    repositories,
    counts: Object.fromEntries(counts.map(({ name, count }) => [name, count])),
    pending: pending.map(({ text }) => text),
  };
};

const rowOf = (specField: string): unknown => {
  const { syncPolicy, ...rest } = readSpecField(specField);
  return { ...rest, syncOptions: syncPolicy?.syncOptions ?? [], automated: syncPolicy?.automated !== undefined };
};
