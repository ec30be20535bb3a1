// A new deployment: every row that the other half needs, in one transaction, and the Application that follows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { readSpecField } from '../../src/domain/spec-field.ts';
import { namespaces } from '../../src/kube/object.ts';
import { aDeployment, conditionOf, deploymentsOf, someRepository, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let namespaceUid: string;
let deployment: GitOpsDeployment;
let row: Record<'user' | 'cluster' | 'instance' | 'environment' | 'application', string>;

const only = async (text: string): Promise<Record<string, string>> => {
  const rows = await world.database.sql<Record<string, string>>(text);
  expect(rows, text).toHaveLength(1);
  return rows[0] ?? {};
};
const uidOf = async (name: string) => (await world.client.get(namespaces, { name })).metadata.uid;

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.start('backend');
  namespaceUid = await world.createNamespace('team-a');
  deployment = await world.apply(aDeployment({ namespace: 'team-a', targetRevision: 'main' }));
  await eventually('the Operation is delivered', async () => {
    const found = await world.database.sql('select 1 from operation where delivered_at is not null');
    return found.length > 0;
  });
  const { sql } = world.database;
  const idOf = async (table: string, column: string): Promise<string> => {
    const [found] = await sql<Record<string, string>>(`select ${column} from ${table} order by seq_id desc limit 1`);
    return found?.[column] ?? '';
  };
  row = {
    user: await idOf('clusteruser', 'clusteruser_id'),
    cluster: await idOf('gitopsenginecluster', 'gitopsenginecluster_id'),
    instance: await idOf('gitopsengineinstance', 'gitopsengineinstance_id'),
    environment: await idOf('managedenvironment', 'managedenvironment_id'),
    application: await idOf('application', 'application_id'),
  };
});
afterAll(() => world.stop());

describe('the rows of a first deployment', () => {
  it('make the namespace a tenant, known by its UID and shown by its name', async () => {
    expect(await only('select * from clusteruser')).toMatchObject({
      user_name: namespaceUid,
      display_name: 'team-a',
    });
  });

  it('describe the Argo CD and the cluster it runs on, with credentials that say they are none', async () => {
    expect(await only('select * from gitopsengineinstance')).toMatchObject({
      namespace_name: engineNamespace,
      namespace_uid: await uidOf(engineNamespace),
      enginecluster_id: row.cluster,
    });
    const credentials = await only(
      'select c.* from clustercredentials c join gitopsenginecluster g on g.clustercredentials_id = c.clustercredentials_cred_id',
    );
    expect(credentials).toMatchObject(placeholder);
  });

  it('make the namespace itself a target, named after it, with credentials of its own that say they are none', async () => {
    const environment = await only('select * from managedenvironment');
    expect(environment).toMatchObject({ name: 'Managed Environment for team-a' });
    const credentials = await only(
      `select * from clustercredentials where clustercredentials_cred_id = '${environment['clustercredentials_id']}'`,
    );
    expect(credentials).toMatchObject(placeholder);
    expect(await world.database.sql('select 1 from clustercredentials')).toHaveLength(2);
  });

  it('say which namespace stands for which row', async () => {
    const found = await world.database.sql(
      `select kubernetes_resource_type as type, kubernetes_resource_uid as uid, db_relation_type as relation,
        db_relation_key as key from kubernetestodbresourcemapping order by relation`,
    );
    expect(found).toEqual([
      { type: 'Namespace', uid: await uidOf('kube-system'), relation: 'GitopsEngineCluster', key: row.cluster },
      { type: 'Namespace', uid: await uidOf(engineNamespace), relation: 'GitopsEngineInstance', key: row.instance },
      { type: 'Namespace', uid: namespaceUid, relation: 'ManagedEnvironment', key: row.environment },
    ]);
  });

  it('let the tenant reach its own namespace by way of that Argo CD', async () => {
    expect(await only('select * from clusteraccess')).toMatchObject({
      clusteraccess_user_id: row.user,
      clusteraccess_managed_environment_id: row.environment,
      clusteraccess_gitops_engine_instance_id: row.instance,
    });
  });

  it('hold the Application that is wanted, its owner, and its link to the object', async () => {
    const application = await only('select * from application');
    expect(application).toMatchObject({
      name: `gitopsdepl-${deployment.metadata.uid}`,
      engine_instance_inst_id: row.instance,
      managed_environment_id: row.environment,
      normalized_repo_url: someRepository,
    });
    expect(readSpecField(application['spec_field'] ?? '')).toEqual({
      name: `gitopsdepl-${deployment.metadata.uid}`,
      namespace: engineNamespace,
      project: `app-project-${row.user}`,
      source: { repoURL: someRepository, path: 'app', targetRevision: 'main' },
      destination: { server: '', namespace: 'team-a', name: 'in-cluster' },
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        syncOptions: ['PrunePropagationPolicy=background'],
        retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
      },
    });
    expect(await only('select * from applicationowner')).toMatchObject({
      application_owner_application_id: row.application,
      application_owner_user_id: row.user,
    });
    expect(await only('select * from deploymenttoapplicationmapping')).toMatchObject({
      deploymenttoapplicationmapping_uid_id: deployment.metadata.uid,
      name: 'app',
      namespace: 'team-a',
      namespace_uid: namespaceUid,
      application_id: row.application,
      generation: 1,
    });
  });

  it("let the tenant's project read the repository", async () => {
    expect(await only('select * from appprojectrepository')).toMatchObject({
      clusteruser_id: row.user,
      repo_url: someRepository,
    });
  });

  it('ask the agent to look at the application, in the name of the tenant, by a row and an object', async () => {
    const operation = await only('select * from operation');
    expect(operation).toMatchObject({
      instance_id: row.instance,
      resource_id: row.application,
      resource_type: 'Application',
      operation_owner_user_id: row.user,
      state: 'Waiting',
    });
    const object = await world.client.raw({
      method: 'GET',
      path: `/apis/managed-gitops.redhat.com/v1alpha1/namespaces/${engineNamespace}/operations/operation-${operation['operation_id']}`,
    });
    expect(object).toMatchObject({ spec: { operationID: operation['operation_id'] } });
  });

  it('are written in one transaction, so that nobody ever sees some of them', async () => {
    const writers = await world.database.sql<{ xmin: string }>(
      ['clusteruser', 'gitopsengineinstance', 'managedenvironment', 'clusteraccess', 'application', 'applicationowner']
        .concat(['deploymenttoapplicationmapping', 'appprojectrepository', 'gitopsenginecluster', 'clustercredentials'])
        .map((table) => `select xmin::text from ${table}`)
        .join(' union '),
    );
    expect(writers).toHaveLength(1);
  });

  it('show in the status that the agent has yet to act', async () => {
    const shown = await deployments.withReason({ namespace: 'team-a', name: 'app' }, 'Reconciling', 'OperationPending');
    expect(conditionOf(shown, 'Ready')).toMatchObject({ status: 'False', observedGeneration: 1 });
    expect(conditionOf(shown, 'ErrorOccurred')).toBeUndefined();
  });
});

describe('the agent', () => {
  it("makes the tenant's project and the Application, and the ended Operation goes, row and object", async () => {
    await world.start('agent');
    const application = await deployments.deployed(deployment);
    expect(application.metadata.labels).toEqual({ databaseID: row.application });
    expect(application.metadata.finalizers).toBeUndefined();
    expect(application.spec).toEqual({
      project: `app-project-${row.user}`,
      source: { repoURL: someRepository, path: 'app', targetRevision: 'main' },
      destination: { namespace: 'team-a', name: 'in-cluster' },
      syncPolicy: {
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        syncOptions: ['PrunePropagationPolicy=background'],
        retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
      },
    });
    const project = await world.client.get(appProjects, {
      namespace: engineNamespace,
      name: `app-project-${row.user}`,
    });
    expect(project.metadata.annotations).toEqual({ username: row.user });
    expect(project.spec).toEqual({
      sourceRepos: [someRepository],
      destinations: [{ name: 'in-cluster', namespace: 'team-a' }],
    });
    await eventually('the Operation is gone', async () => {
      const left = await world.database.sql('select 1 from operation');
      return left.length === 0 && world.api.requests()['delete operations'] === 1;
    });
  });

  it('serves a second deployment of the tenant from the rows that are there', async () => {
    const second = await world.apply(aDeployment({ namespace: 'team-a', name: 'second', path: 'other' }));
    await deployments.deployed(second);
    for (const table of ['clusteruser', 'managedenvironment', 'clusteraccess', 'appprojectrepository']) {
      expect(await world.database.sql(`select 1 from ${table}`), table).toHaveLength(1);
    }
    expect(await world.database.sql('select 1 from clustercredentials')).toHaveLength(2);
    expect(await world.database.sql('select 1 from application')).toHaveLength(2);
  });
});

const placeholder = {
  host: 'host',
  kube_config: 'kube_config',
  kube_config_context: 'kube_config_context',
  serviceaccount_bearer_token: 'serviceaccount_bearer_token',
  serviceaccount_ns: 'serviceaccount_ns',
};
