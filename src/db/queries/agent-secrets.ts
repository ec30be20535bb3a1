// Environment and credential rows as the agent sees them: what Argo CD's Secrets are made from, and which have none.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';
import { engineRows, type AgentEngine } from './agent-engine.ts';
import { projectColumns, type ProjectTargetRow } from './agent-project.ts';

/** How an environment is reached. The token may be sealed. */
export interface EnvironmentTargetRow {
  readonly id: string;
  readonly host: string | null;
  readonly token: string | null;
  readonly insecure: boolean | null;
  /** Names with commas between them. */
  readonly namespaces: string | null;
  readonly cluster_resources: boolean | null;
}

/** SQL for an environment as JSON, null where there is none; the argument is its id. */
export const environmentJson = (environmentId: string): string => `(
    select jsonb_build_object(
      'id', m.managedenvironment_id, 'host', c.host, 'token', c.serviceaccount_bearer_token,
      'insecure', c.allowinsecure_skiptlsverify, 'namespaces', c.namespaces, 'cluster_resources', c.cluster_resources)
    from managedenvironment m
    join clustercredentials c on c.clustercredentials_cred_id = m.clustercredentials_id
    where m.managedenvironment_id = ${environmentId}
  )`;

const environments = statement<{ environment: EnvironmentTargetRow | null }>(
  'agent-environment-targets',
  `
select ${environmentJson('k.id')} as environment
from unnest($1::text[]) with ordinality as k(id, ord)
order by k.ord`,
);

/** These environments, in the order asked; null for one that is gone. */
export const selectEnvironmentTargets = async (
  db: Queryable,
  ids: readonly string[],
): Promise<readonly (EnvironmentTargetRow | null)[]> =>
  (await db.query(environments, [ids])).rows.map((row) => row.environment);

/** What the handler of a credential needs: the row, and what its tenant's project permits. */
export interface CredentialTargetRow extends ProjectTargetRow {
  /** Null where the row is gone. */
  readonly id: string | null;
  readonly url: string | null;
  readonly username: string | null;
  /** May be sealed. */
  readonly password: string | null;
  /** May be sealed. */
  readonly ssh: string | null;
  readonly secret_name: string | null;
  /** It belongs to the engine that was asked for. */
  readonly mine: boolean;
  /** The Applications of its tenant are in the tenant's own project. */
  readonly isolated: boolean;
}

const credentials = statement<CredentialTargetRow>(
  'agent-credential-targets',
  `
select c.repositorycredentials_id as id, c.repo_cred_url as url, c.repo_cred_user as username,
  c.repo_cred_pass as password, c.repo_cred_ssh as ssh, c.repo_cred_secret as secret_name,
  coalesce(c.repo_cred_engine_id in ${engineRows('$3', '$4')}, false) as mine,
  coalesce(
    (
      select a.spec_field ~ 'project: "?app-project-'
      from applicationowner w
      join application a on a.application_id = w.application_owner_application_id
      where w.application_owner_user_id = u.clusteruser_id
      order by w.seq_id desc limit 1
    ),
    (select a.spec_field ~ 'project: "?app-project-' from application a order by a.application_id limit 1),
    true
  ) as isolated,
  ${projectColumns('u')}
from unnest($1::text[], $2::text[]) with ordinality as k(id, owner, ord)
left join repositorycredentials c on c.repositorycredentials_id = k.id
left join clusteruser u on u.clusteruser_id = coalesce(c.repo_cred_user_id, k.owner)
order by k.ord`,
);

/** The rows behind these credentials, in the order asked; the tenant of one that is gone is the given owner. */
export const selectCredentialTargets = async (
  db: Queryable,
  engine: AgentEngine,
  keys: readonly { readonly id: string; readonly ownerId: string | null }[],
): Promise<readonly CredentialTargetRow[]> => {
  const values = [keys.map((key) => key.id), keys.map((key) => key.ownerId), engine.namespace, engine.clusterUid];
  return (await db.query(credentials, values)).rows;
};

const credentialIds = statement<{ id: string; user_id: string }>(
  'agent-credential-ids',
  `
select repositorycredentials_id as id, repo_cred_user_id as user_id from repositorycredentials
where repo_cred_engine_id in ${engineRows('$1', '$2')}
order by 1`,
);

/** The credentials that an engine should have, and whose they are. */
export const selectCredentialIds = async (
  db: Queryable,
  engine: AgentEngine,
): Promise<readonly { readonly id: string; readonly user_id: string }[]> =>
  (await db.query(credentialIds, [engine.namespace, engine.clusterUid])).rows;

/** A Secret by what it was made from. */
export interface SecretOrigin {
  readonly kind: 'environment' | 'credential';
  readonly id: string;
}

const origins = statement<SecretOrigin>(
  'agent-rowless-secrets',
  `
select k.kind, k.id
from unnest($1::text[], $2::text[]) with ordinality as k(kind, id, ord)
where exists (select from gitopsengineinstance i where i.gitopsengineinstance_id in ${engineRows('$3', '$4')}
    and i.namespace_uid = $5)
  and not exists (select from managedenvironment m where m.managedenvironment_id = k.id)
  and not exists (select from repositorycredentials c where c.repositorycredentials_id = k.id)
order by k.ord`,
);

/**
 * Those of the given that have no row. None at all for an engine that the database does not know, as it stands there
 * now: a database that is empty, another one, or of another cluster proves nothing.
 */
export const selectRowless = async (
  db: Queryable,
  engine: AgentEngine & { readonly namespaceUid: string },
  given: readonly SecretOrigin[],
): Promise<readonly SecretOrigin[]> => {
  const [kinds, ids] = [given.map((one) => one.kind), given.map((one) => one.id)];
  return (await db.query(origins, [kinds, ids, engine.namespace, engine.clusterUid, engine.namespaceUid])).rows;
};
