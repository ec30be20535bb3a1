// Everything the rows say about some repository credentials, in one statement.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';
import type { EngineKey, LaneRow } from './deployment-facts.ts';
import {
  checkOf,
  clusterOf,
  engineInstance,
  linkedFields,
  linkedToKey,
  operationsOf,
  type CheckJson,
  type LinkedJson,
  type OperationJson,
} from './facts.ts';

/** Which credential is asked about; `''` where there is no object, and no repository. */
export interface CredentialFactsKey {
  readonly namespaceUid: string;
  readonly name: string;
  readonly uid: string;
  /** Normalised URL of its repository. */
  readonly repositoryUrl: string;
}

/** A row that links a credential, by UID, to its row, as JSON. */
export interface CredentialLinkJson extends LinkedJson {
  readonly credential: {
    readonly userId: string;
    readonly instanceId: string;
    readonly url: string;
    readonly secret: string;
    readonly inputHash: string | null;
  } | null;
  readonly operations: readonly OperationJson[] | null;
}

/** The facts about one key. */
export interface CredentialFactsRow {
  readonly user_id: string | null;
  readonly instance_id: string | null;
  /** The tenant's project may read the repository. */
  readonly repository_known: boolean;
  readonly links: readonly CredentialLinkJson[] | null;
  /** What the last check has found. */
  readonly check: CheckJson | null;
}

const facts = statement<CredentialFactsRow>(
  'credential-facts',
  `
with key as materialized (
  select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
    with ordinality as k(namespace_uid, name, uid, repository_url, ord)
), engine as materialized (${engineInstance('$5', '$6')})
select
  u.clusteruser_id as user_id,
  (select instance_id from engine) as instance_id,
  exists (
    select from appprojectrepository r where r.clusteruser_id = u.clusteruser_id and r.repo_url = k.repository_url
  ) as repository_known,
  (
    select jsonb_agg(jsonb_build_object(
      ${linkedFields(clusterOf('c.repo_cred_engine_id'))},
      'credential', case when c.repositorycredentials_id is null then null else jsonb_build_object(
        'userId', c.repo_cred_user_id, 'instanceId', c.repo_cred_engine_id, 'url', c.repo_cred_url,
        'secret', c.repo_cred_secret, 'inputHash', c.input_hash
      ) end,
      'operations', ${operationsOf('m.db_relation_key', 'RepositoryCredentials')}
    ) order by m.seq_id)
    from apicrtodatabasemapping m
    left join repositorycredentials c on c.repositorycredentials_id = m.db_relation_key
    where ${linkedToKey('GitOpsDeploymentRepositoryCredential')}
  ) as links,
  ${checkOf('GitOpsDeploymentRepositoryCredential', 'k.uid')} as check
from key k
left join clusteruser u on u.user_name = k.namespace_uid
order by k.ord`,
);

/** The facts about each key, in the order of the keys. */
export const selectCredentialFacts = async (
  db: Queryable,
  keys: readonly CredentialFactsKey[],
  engine: EngineKey,
): Promise<readonly CredentialFactsRow[]> => {
  const { rows } = await db.query(facts, [
    keys.map((key) => key.namespaceUid),
    keys.map((key) => key.name),
    keys.map((key) => key.uid),
    keys.map((key) => key.repositoryUrl),
    engine.namespaceUid,
    engine.clusterUid,
  ]);
  return rows;
};

const lanes = statement<LaneRow>(
  'credential-lanes',
  `
select distinct api_resource_namespace_uid as namespace_uid, api_resource_name as name from apicrtodatabasemapping
where api_resource_type = 'GitOpsDeploymentRepositoryCredential' and db_relation_type = 'RepositoryCredential'
  and ($1::text[] is null or db_relation_key = any($1::text[]))
order by 1, 2`,
);

/** The lanes of the credentials with these rows; of all that the rows know when none are given. */
export const selectCredentialLanes = async (
  db: Queryable,
  credentialIds: readonly string[] | null,
): Promise<readonly LaneRow[]> => (await db.query(lanes, [credentialIds])).rows;
