// What the demo reads of the rows, to show where a deployment is.
import type { Queryable } from '../sql.ts';
import { statement } from '../statement.ts';

const applicationId = statement<{ application_id: string }>(
  'demo-application-id',
  `select application_id from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = $1`,
);

/** The id of a deployment's application row; undefined when there is none. */
export const selectApplicationIdOf = async (db: Queryable, deploymentUid: string): Promise<string | undefined> =>
  (await db.query(applicationId, [deploymentUid])).rows[0]?.application_id;

const tenantId = statement<{ clusteruser_id: string }>(
  'demo-tenant-id',
  `select clusteruser_id from clusteruser where user_name = $1`,
);

/** The id of a namespace's tenant row; undefined while the backend has seen nothing in it. */
export const selectTenantIdOf = async (db: Queryable, namespaceUid: string): Promise<string | undefined> =>
  (await db.query(tenantId, [namespaceUid])).rows[0]?.clusteruser_id;

const unfinished = statement<{ left: boolean }>(
  'demo-unfinished-work',
  `
select exists (select from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = $1)
  or exists (select from deletion where deployment_uid = $1)
  or exists (select from application where name = 'gitopsdepl-' || $1::text)
  or exists (select from apicrtodatabasemapping where api_resource_type = 'GitOpsDeploymentSyncRun')
  or exists (select from operation where resource_type in ('Application', 'SyncOperation')) as left`,
);

/** True while rows of a deployment, or of any sync run, or any Operation on an application or a sync, are left. */
export const selectUnfinishedWork = async (db: Queryable, deploymentUid: string): Promise<boolean> =>
  (await db.query(unfinished, [deploymentUid])).rows[0]?.left ?? true;
