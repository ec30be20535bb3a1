// The rows of one repository credential: made, changed and removed.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** What the row of a credential holds. Texts that are secret come sealed. */
export interface CredentialRow {
  readonly id: string;
  readonly userId: string;
  readonly instanceId: string;
  /** As it was written. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  readonly sshPrivateKey: string;
  /** Name of the Secret. */
  readonly secret: string;
  readonly inputHash: string;
  readonly now: string;
}

const write = statement(
  'credential-write',
  `
insert into repositorycredentials (
  repositorycredentials_id, repo_cred_user_id, repo_cred_url, repo_cred_user, repo_cred_pass, repo_cred_ssh,
  repo_cred_secret, repo_cred_engine_id, created_on, input_hash
) values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''), $7, $8, $9, $10)
on conflict (repositorycredentials_id) do update set
  repo_cred_user_id = excluded.repo_cred_user_id, repo_cred_url = excluded.repo_cred_url,
  repo_cred_user = excluded.repo_cred_user, repo_cred_pass = excluded.repo_cred_pass,
  repo_cred_ssh = excluded.repo_cred_ssh, repo_cred_secret = excluded.repo_cred_secret,
  repo_cred_engine_id = excluded.repo_cred_engine_id, input_hash = excluded.input_hash`,
);

/** Makes the row of a credential, or changes the one that is there. */
export const writeCredential = async (tx: Queryable, row: CredentialRow): Promise<void> => {
  await tx.query(write, [
    row.id,
    row.userId,
    row.url,
    row.username,
    row.password,
    row.sshPrivateKey,
    row.secret,
    row.instanceId,
    row.now,
    row.inputHash,
  ]);
};

/** What Argo CD is told of a credential. Secrets are as they are kept. */
export type CredentialValues = Pick<CredentialRow, 'url' | 'username' | 'password' | 'sshPrivateKey' | 'secret'>;

const values = statement<CredentialValues>(
  'credential-values',
  `
select repo_cred_url as url, coalesce(repo_cred_user, '') as username, coalesce(repo_cred_pass, '') as password,
  coalesce(repo_cred_ssh, '') as "sshPrivateKey", repo_cred_secret as secret
from repositorycredentials where repositorycredentials_id = $1`,
);

/** What Argo CD is told of a credential now; undefined where there is no row. */
export const selectCredentialValues = async (tx: Queryable, id: string): Promise<CredentialValues | undefined> =>
  (await tx.query(values, [id])).rows[0];

const remove = statement(
  'credential-remove',
  `
with link as (
  delete from apicrtodatabasemapping
  where api_resource_type = 'GitOpsDeploymentRepositoryCredential' and db_relation_type = 'RepositoryCredential'
    and api_resource_uid = $2
), result as (
  delete from probe_result where kind = 'GitOpsDeploymentRepositoryCredential' and uid = $2
)
delete from repositorycredentials where repositorycredentials_id = $1`,
);

/** Removes a credential and its link. */
export const removeCredential = async (
  tx: Queryable,
  { id, uid }: { readonly id: string; readonly uid: string },
): Promise<void> => {
  await tx.query(remove, [id, uid]);
};
