// What is still to be removed from other clusters, for environments that are gone or have moved.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** What was made on a cluster, and how it is reached. The token is as it is kept. */
export interface NewCleanup {
  readonly id: string;
  readonly environmentId: string;
  readonly environmentUid: string;
  readonly host: string;
  readonly sealedToken: string;
  readonly insecure: boolean;
  readonly serviceAccount: string;
  readonly now: string;
  /** Not before this. UTC text. */
  readonly dueAt: string;
}

const insert = statement(
  'cleanup-insert',
  `
insert into environment_cleanup (
  cleanup_id, environment_id, environment_uid, host, bearer_token, allow_insecure, service_account, requested_at, due_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
);

/** Notes that something is to be removed from a cluster. */
export const insertCleanup = async (tx: Queryable, made: NewCleanup): Promise<void> => {
  await tx.query(insert, [
    made.id,
    made.environmentId,
    made.environmentUid,
    made.host,
    made.sealedToken,
    made.insecure,
    made.serviceAccount,
    made.now,
    made.dueAt,
  ]);
};

/** Something to be removed. */
export interface DueCleanup {
  readonly cleanup_id: string;
  readonly environment_uid: string;
  readonly host: string;
  readonly bearer_token: string;
  readonly allow_insecure: boolean;
  readonly service_account: string;
  readonly attempts: number;
  /** The account's token in the rows of the environment, as it is kept; null where there is none. */
  readonly in_use: string | null;
}

const due = statement<DueCleanup>(
  'cleanup-due',
  `
select c.cleanup_id, c.environment_uid, c.host, c.bearer_token, c.allow_insecure, c.service_account, c.attempts,
  (
    select k.serviceaccount_bearer_token
    from apicrtodatabasemapping m
    join managedenvironment e on e.managedenvironment_id = m.db_relation_key
    join clustercredentials k on k.clustercredentials_cred_id = e.clustercredentials_id
    where m.api_resource_uid = c.environment_uid and m.api_resource_type = 'GitOpsDeploymentManagedEnvironment'
      and m.db_relation_type = 'ManagedEnvironment'
      and (k.service_account = c.service_account or k.input_hash is null)
    limit 1
  ) as in_use
from environment_cleanup c
where c.due_at <= $1
  and not exists (
    select from operation o where o.resource_id = c.environment_id and o.resource_type = 'ManagedEnvironment'
      and o.state in ('Waiting', 'In_Progress')
  )
  and not exists (
    select from managedenvironment e
    join clustercredentials k on k.clustercredentials_cred_id = e.clustercredentials_id
    where k.host = c.host
      and (k.service_account = c.service_account or (e.managedenvironment_id = c.environment_id and k.input_hash is null))
  )
order by c.due_at limit $2`,
);

/**
 * What is due: Argo CD has let go of the environment, if it ever had it, and nothing uses the ServiceAccount any more.
 * Credentials of the original don't say whether they do.
 */
export const selectDueCleanups = async (db: Queryable, now: string, limit: number): Promise<readonly DueCleanup[]> =>
  (await db.query(due, [now, limit])).rows;

const next = statement<{ due_at: string }>(
  'cleanup-next',
  `select due_at from environment_cleanup order by due_at limit 1`,
);

/** When the first of what is noted is due, whatever it waits for (UTC text); null when nothing is noted. */
export const selectNextCleanup = async (db: Queryable): Promise<string | null> =>
  (await db.query(next, [])).rows[0]?.due_at ?? null;

const drop = statement(
  'cleanup-drop',
  `delete from environment_cleanup where environment_uid = $1 and host = $2 and requested_at <= $3`,
);

/** Forgets what was to be removed from a cluster for an environment, as it was noted until then (UTC text): it is gone, or in use. */
export const dropCleanups = async (
  tx: Queryable,
  { environmentUid, host, until }: { readonly environmentUid: string; readonly host: string; readonly until: string },
): Promise<void> => {
  await tx.query(drop, [environmentUid, host, until]);
};

const again = statement(
  'cleanup-again',
  `update environment_cleanup set attempts = $2, due_at = $3 where cleanup_id = $1`,
);

/** Notes how often it has been tried by now, and when it is tried again (UTC text). */
export const postponeCleanup = async (
  db: Queryable,
  { id, attempts, dueAt }: { readonly id: string; readonly attempts: number; readonly dueAt: string },
): Promise<void> => {
  await db.query(again, [id, attempts, dueAt]);
};

const remove = statement('cleanup-remove', `delete from environment_cleanup where cleanup_id = $1`);

/** Forgets what has been removed, or can't be. */
export const removeCleanup = async (db: Queryable, id: string): Promise<void> => {
  await db.query(remove, [id]);
};

const sweep = statement('check-sweep', `delete from probe_result where checked_at < $1`);

/** Forgets results of checks that nobody has asked for again since: their objects are gone. */
export const sweepChecks = async (db: Queryable, before: string): Promise<void> => {
  await db.query(sweep, [before]);
};
