// The rows of one application: made, changed and removed together with what hangs on them.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

const insert = statement(
  'application-insert',
  `
with made as (
  insert into application (
    application_id, name, spec_field, engine_instance_inst_id, managed_environment_id, normalized_repo_url, created_on
  ) values ($1, $2, $3, $4, $5, $6, $7)
), owner as (
  insert into applicationowner (application_owner_application_id, application_owner_user_id, created_on)
  values ($1, $8, $7)
)
insert into deploymenttoapplicationmapping (
  deploymenttoapplicationmapping_uid_id, name, namespace, namespace_uid, application_id, generation
) values ($9, $10, $11, $12, $1, $13)`,
);

/** An application row with its owner and its link to the GitOpsDeployment. */
export interface NewApplication {
  readonly id: string;
  readonly name: string;
  readonly specField: string;
  readonly instanceId: string;
  readonly environmentId: string;
  readonly normalizedRepoUrl: string;
  readonly userId: string;
  readonly deploymentUid: string;
  readonly deploymentName: string;
  readonly namespace: string;
  readonly namespaceUid: string;
  readonly generation: number;
  readonly now: string;
}

/** Inserts an application, its owner and its link. */
export const insertApplication = async (tx: Queryable, made: NewApplication): Promise<void> => {
  await tx.query(insert, [
    made.id,
    made.name,
    made.specField,
    made.instanceId,
    made.environmentId,
    made.normalizedRepoUrl,
    made.now,
    made.userId,
    made.deploymentUid,
    made.deploymentName,
    made.namespace,
    made.namespaceUid,
    made.generation,
  ]);
};

const update = statement(
  'application-update',
  `
with changed as (
  update application
  set spec_field = $2, managed_environment_id = $3, normalized_repo_url = $4, engine_instance_inst_id = $8
  where application_id = $1
), owner as (
  insert into applicationowner (application_owner_application_id, application_owner_user_id, created_on)
  values ($1, $5, $6)
  on conflict do nothing
)
update deploymenttoapplicationmapping set generation = $7 where application_id = $1`,
);

/** Changes an application row, sees to its owner, and notes the generation it was planned from. */
export const updateApplication = async (
  tx: Queryable,
  changed: {
    readonly id: string;
    readonly instanceId: string;
    readonly specField: string;
    readonly environmentId: string;
    readonly normalizedRepoUrl: string;
    readonly userId: string;
    readonly generation: number;
    readonly now: string;
  },
): Promise<void> => {
  await tx.query(update, [
    changed.id,
    changed.specField,
    changed.environmentId,
    changed.normalizedRepoUrl,
    changed.userId,
    changed.now,
    changed.generation,
    changed.instanceId,
  ]);
};

const move = statement(
  'application-move-link',
  `
with link as (
  update deploymenttoapplicationmapping set namespace_uid = $2, namespace = $3, name = $4
  where deploymenttoapplicationmapping_uid_id = $1
  returning application_id
)
delete from applicationowner o using link where o.application_owner_application_id = link.application_id`,
);

/** Links a deployment's application to the lane that the deployment is in, and takes it from its owner. */
export const moveLink = async (
  db: Queryable,
  to: {
    readonly deploymentUid: string;
    readonly namespace: string;
    readonly namespaceUid: string;
    readonly name: string;
  },
): Promise<void> => {
  await db.query(move, [to.deploymentUid, to.namespaceUid, to.namespace, to.name]);
};

// State, owner and link go by cascade with the application; the link is named too, for one whose application is gone.
const remove = statement(
  'application-remove',
  `
with sync as (
  update syncoperation set application_id = null where application_id = $1
), link as (
  delete from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = $2
)
insert into deletion (
  deployment_uid, namespace_uid, name, application_id, operation_id, requested_at, engine_instance_id
) values ($2, $3, $4, $1, $5, $6, $7)
on conflict (deployment_uid) do nothing`,
);
const removeRow = statement('application-remove-row', `delete from application where application_id = $1`);

/** Removes an application with all that hangs on it, and notes the removal until it is known to be complete. */
export const removeApplication = async (
  tx: Queryable,
  removed: {
    readonly applicationId: string;
    readonly deploymentUid: string;
    readonly namespaceUid: string;
    readonly name: string;
    readonly operationId: string;
    readonly instanceId: string;
    readonly now: string;
  },
): Promise<void> => {
  await tx.query(remove, [
    removed.applicationId,
    removed.deploymentUid,
    removed.namespaceUid,
    removed.name,
    removed.operationId,
    removed.now,
    removed.instanceId,
  ]);
  await tx.query(removeRow, [removed.applicationId]);
};

const forget = statement('deletion-forget', `delete from deletion where deployment_uid = any($1::text[])`);

/** Forgets removals that are complete. */
export const forgetDeletions = async (db: Queryable, deploymentUids: readonly string[]): Promise<void> => {
  await db.query(forget, [deploymentUids]);
};

const inUse = statement<{ repo_url: string | null; spec_field: string | null }>(
  'application-repositories-in-use',
  `
select a.normalized_repo_url as repo_url, case when a.normalized_repo_url is null then a.spec_field end as spec_field
from applicationowner o
join application a on a.application_id = o.application_owner_application_id
where o.application_owner_user_id = $1 and (a.normalized_repo_url is null or a.normalized_repo_url = any($2::text[]))
union all
select c.repo_cred_url, null from repositorycredentials c where c.repo_cred_user_id = $1`,
);

/** A use of a repository by a tenant: a URL (as a credential has it, or normalised), or a row to be read for one. */
export interface RepositoryUse {
  readonly url: string | null;
  readonly specField: string | null;
}

/** Which of these normalised URLs the tenant's applications and credentials use; rows that don't say are included. */
export const selectRepositoryUses = async (
  tx: Queryable,
  userId: string,
  normalizedUrls: readonly string[],
): Promise<readonly RepositoryUse[]> => {
  const { rows } = await tx.query(inUse, [userId, normalizedUrls]);
  return rows.map((row) => ({ url: row.repo_url, specField: row.spec_field }));
};

const allow = statement(
  'application-allow-repository',
  `
insert into appprojectrepository (appproject_repository_id, clusteruser_id, repo_url, created_on)
values ($1, $2, $3, $4)
on conflict (clusteruser_id, repo_url) do nothing`,
);
const forbid = statement(
  'application-forbid-repositories',
  `delete from appprojectrepository where clusteruser_id = $1 and repo_url = any($2::text[])`,
);

/** Lets the tenant's project read a repository, by its normalised URL. */
export const allowRepository = async (
  tx: Queryable,
  allowed: { readonly newId: string; readonly userId: string; readonly url: string; readonly now: string },
): Promise<void> => {
  await tx.query(allow, [allowed.newId, allowed.userId, allowed.url, allowed.now]);
};

/** Takes repositories from the tenant's project. */
export const forbidRepositories = async (tx: Queryable, userId: string, urls: readonly string[]): Promise<void> => {
  await tx.query(forbid, [userId, urls]);
};

const usesProjects = statement<{ isolated: boolean }>(
  'application-uses-projects',
  `select exists (select from application where spec_field ~ 'project: "?app-project-') as isolated`,
);

/** True when an application belongs to its tenant's own project: projects isolated tenants when it was written. */
export const selectUsesProjects = async (db: Queryable): Promise<boolean> =>
  (await db.query(usesProjects)).rows[0]?.isolated ?? false;
