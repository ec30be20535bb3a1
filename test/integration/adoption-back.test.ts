// What we added to the tables refuses no statement that the original makes: either half of it can run again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../kit/database.ts';
import { hoursAgo, originalInsert, type OriginalRow } from '../kit/original-database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());

const now = hoursAgo(0);
const operation = (id: string): OriginalRow => ({
  operation_id: id,
  instance_id: 'instance',
  resource_id: 'application',
  operation_owner_user_id: 'user',
  resource_type: 'Application',
  created_on: now,
  last_state_update: now,
  state: 'Waiting',
});

/** As its processes insert them; twice the same where it has no rule against it. */
const inserts: readonly (readonly [table: string, row: OriginalRow])[] = [
  ['clustercredentials', { clustercredentials_cred_id: 'credentials', host: 'host' }],
  ['gitopsenginecluster', { gitopsenginecluster_id: 'cluster', clustercredentials_id: 'credentials' }],
  [
    'gitopsengineinstance',
    {
      gitopsengineinstance_id: 'instance',
      namespace_name: 'argocd',
      namespace_uid: 'uid',
      enginecluster_id: 'cluster',
    },
  ],
  ['managedenvironment', { managedenvironment_id: 'environment', name: 'prod', clustercredentials_id: 'credentials' }],
  ['clusteruser', { clusteruser_id: 'user', user_name: 'namespace-uid' }],
  [
    'clusteraccess',
    {
      clusteraccess_user_id: 'user',
      clusteraccess_managed_environment_id: 'environment',
      clusteraccess_gitops_engine_instance_id: 'instance',
    },
  ],
  [
    'application',
    {
      application_id: 'application',
      name: 'gitopsdepl-1',
      spec_field: 'x'.repeat(16_384),
      engine_instance_inst_id: 'instance',
      managed_environment_id: 'environment',
      created_on: now,
    },
  ],
  ['applicationowner', { application_owner_application_id: 'application', application_owner_user_id: 'user' }],
  ['applicationstate', { applicationstate_application_id: 'application' }],
  [
    'deploymenttoapplicationmapping',
    { deploymenttoapplicationmapping_uid_id: 'uid', name: 'app', namespace: 'a', application_id: 'application' },
  ],
  ['operation', operation('one')],
  ['operation', operation('two')],
  [
    'syncoperation',
    {
      syncoperation_id: 'sync',
      application_id: 'application',
      deployment_name: 'app',
      revision: 'main',
      desired_state: 'Running',
      created_on: now,
    },
  ],
  [
    'kubernetestodbresourcemapping',
    {
      kubernetes_resource_type: 'Namespace',
      kubernetes_resource_uid: 'uid',
      db_relation_type: 'ManagedEnvironment',
      db_relation_key: 'environment',
    },
  ],
  [
    'apicrtodatabasemapping',
    {
      api_resource_type: 'GitOpsDeploymentSyncRun',
      api_resource_uid: 'uid',
      api_resource_name: 'run',
      api_resource_namespace: 'a',
      api_resource_namespace_uid: 'namespace-uid',
      db_relation_type: 'SyncOperation',
      db_relation_key: 'sync',
    },
  ],
  [
    'repositorycredentials',
    {
      repositorycredentials_id: 'credential',
      repo_cred_user_id: 'user',
      repo_cred_url: 'https://github.com/org/repo',
      repo_cred_secret: 'secret',
      repo_cred_engine_id: 'instance',
      created_on: now,
    },
  ],
  ['appprojectrepository', { appproject_repository_id: 'repository', clusteruser_id: 'user', repo_url: 'url' }],
  ...['first', 'second'].map(
    (id) =>
      [
        'appprojectmanagedenvironment',
        { appproject_managedenv_id: id, clusteruser_id: 'user', managed_environment_id: 'environment' },
      ] as const,
  ),
];

/** Whole rows are updated, and what is empty becomes null. */
const updates: readonly string[] = [
  `update application set managed_environment_id = null, spec_field = 'text' where application_id = 'application'`,
  `update applicationstate set argocd_application_status = '\\x00' where applicationstate_application_id = 'application'`,
  `update clusteruser set display_name = 'a' where clusteruser_id = 'user'`,
  `update clustercredentials set allowinsecure_skiptlsverify = null, cluster_resources = null, namespaces = null
    where clustercredentials_cred_id = 'credentials'`,
  `update operation set state = 'In_Progress', human_readable_state = null, gc_expiration_time = null
    where operation_id = 'one'`,
  `update operation set state = 'Failed', human_readable_state = repeat('x', 1024) where operation_id = 'one'`,
  `update operation set state = 'Completed' where operation_id = 'two'`,
  `update syncoperation set desired_state = 'Terminated' where syncoperation_id = 'sync'`,
  `update kubernetestodbresourcemapping set kubernetes_resource_uid = 'other' where db_relation_key = 'environment'`,
  `update repositorycredentials set repo_cred_user = null, repo_cred_pass = null, repo_cred_ssh = 'key'
    where repositorycredentials_id = 'credential'`,
];

/** In the order in which it removes a deployment, then the rest. Each has to find its row still there. */
const deletes: readonly string[] = [
  'delete from applicationstate',
  'update syncoperation set application_id = null',
  'delete from deploymenttoapplicationmapping',
  'delete from applicationowner',
  'delete from application',
  `delete from operation where operation_id = 'one'`,
  'delete from apicrtodatabasemapping',
  'delete from syncoperation',
  'delete from appprojectrepository',
  `delete from appprojectmanagedenvironment where appproject_managedenv_id = 'first'`,
];

const changes = async (statement: string): Promise<number> =>
  (await test.sql(`with done as (${statement} returning 1) select from done`)).length;

describe('on our schema', () => {
  it('the original inserts into each of its tables', async () => {
    for (const [table, row] of inserts) expect(await changes(originalInsert(table, row)), table).toBe(1);
  });

  it('the original updates rows as wholes', async () => {
    for (const statement of updates) expect(await changes(statement), statement).toBe(1);
  });

  it('the original deletes row by row, and finds each', async () => {
    for (const statement of deletes) expect(await changes(statement), statement).toBe(1);
  });
});
