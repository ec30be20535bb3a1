// An installation of the original service as its processes leave it: rows in every table, and the objects of the users
// and of Argo CD that belong to them.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { operationName } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { aDeployment, someRepository, type DeploymentOptions } from './deployments.ts';
import {
  hoursAgo,
  insertLink,
  insertRepositories,
  makeOriginalDatabase,
  makeOriginalTenant,
  type OriginalRows,
  type OriginalTenant,
} from './original-database.ts';
import { makeUnreached, type OriginalOutside } from './original-environment.ts';
import { originalSpecField, originalStatusBlob, type OriginalApplication } from './original-texts.ts';
import { engineNamespace, type World } from './world.ts';

/** A deployment with its rows and its Application. */
export interface OriginalDeployment {
  readonly deployment: GitOpsDeployment;
  readonly application: OriginalApplication;
  readonly applicationId: string;
}

/** Ids of Operations, by what they are for. */
export type OriginalTickets = Readonly<
  Record<'ended' | 'longEnded' | 'lost' | 'selfHeal' | 'repository' | 'openSync', string>
>;

/** What was made. */
export interface OriginalInstallation {
  readonly teamA: OriginalTenant;
  readonly teamB: OriginalTenant;
  /** Automated, in `teamA`. */
  readonly app: OriginalDeployment;
  /** Manual, in `teamA`; one sync run of it has ended, another one's sync runs. */
  readonly manual: OriginalDeployment;
  /** From `teamA` into the environment `prod`. */
  readonly remote: OriginalDeployment;
  /** Automated, in `teamB`, with a revision and an option. */
  readonly other: OriginalDeployment;
  readonly endedSync: GitOpsDeploymentSyncRun;
  readonly openSync: GitOpsDeploymentSyncRun;
  readonly openSyncId: string;
  readonly tickets: OriginalTickets;
  /** Another deployment of `teamA`. */
  deploy(options: Omit<DeploymentOptions, 'namespace'>): Promise<OriginalDeployment>;
}

interface Build extends OriginalRows {
  readonly outside: OriginalOutside;
  readonly world: World;
  readonly isolation: boolean;
}

const uuid = (): string => systemRandom.uuid();
const revision = 'c0ffee'.padEnd(40, '0');
const specialUser = 'cluster-agent-application-sync-user';

/** The Application that the original's agent makes of a deployment, as Argo CD has brought it in sync. */
const applicationOf = (build: Build, tenant: OriginalTenant, deployment: GitOpsDeployment): OriginalApplication => {
  const { metadata, spec } = deployment;
  const environmentId = build.outside.environments[spec?.destination?.environment ?? ''];
  const options = spec?.syncPolicy?.syncOptions ?? [];
  const source = { ...spec?.source, repoURL: spec?.source.repoURL ?? '', path: spec?.source.path ?? '' };
  const destination = {
    name: environmentId ? `managed-env-${environmentId}` : 'in-cluster',
    namespace: spec?.destination?.namespace ?? tenant.namespace,
  };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: `gitopsdepl-${metadata.uid ?? ''}`, namespace: engineNamespace },
    spec: {
      source,
      destination,
      project: build.isolation ? `app-project-${tenant.userId}` : 'default',
      ...(spec?.type === 'automated' && {
        syncPolicy: {
          automated: { prune: true, selfHeal: true, allowEmpty: true },
          syncOptions: ['PrunePropagationPolicy=background', ...options],
          retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
        },
      }),
    },
    status: {
      health: { status: 'Healthy' },
      sync: { status: 'Synced', revision, comparedTo: { source, destination } },
      resources: [
        { version: 'v1', kind: 'ConfigMap', namespace: destination.namespace, name: 'settings', status: 'Synced' },
      ],
      conditions: [],
      reconciledAt: '2026-01-31T12:00:00Z',
      sourceType: 'Directory',
      summary: {},
    },
  };
};

/** What the original's backend shows of a deployment that is in sync; its last error is resolved. */
const originalStatus = ({ spec }: OriginalApplication, environment: string) => ({
  conditions: [
    {
      type: 'ErrorOccurred',
      status: 'False',
      reason: 'ErrorOccurredResolved',
      message: '',
      lastProbeTime: '2026-01-31T11:00:00Z',
      lastTransitionTime: '2026-01-31T11:00:00Z',
    },
  ],
  health: { status: 'Healthy' },
  sync: { status: 'Synced', revision },
  resources: [
    { version: 'v1', kind: 'ConfigMap', namespace: spec.destination.namespace, name: 'settings', status: 'Synced' },
  ],
  reconciledState: {
    source: { path: spec.source.path, repoURL: spec.source.repoURL, branch: spec.source.targetRevision ?? '' },
    destination: { name: environment, namespace: spec.destination.namespace },
  },
});

const makeDeployment = async (
  build: Build,
  tenant: OriginalTenant,
  options: Omit<DeploymentOptions, 'namespace'>,
): Promise<OriginalDeployment> => {
  const { world, insert, instanceId } = build;
  const made = await world.client.create(gitOpsDeployments, aDeployment({ ...options, namespace: tenant.namespace }));
  const { uid = '', name } = made.metadata;
  const application = applicationOf(build, tenant, made);
  const environment = options.destination?.environment ?? '';
  const environmentId = build.outside.environments[environment];
  const applicationId = uuid();
  await insert('application', {
    application_id: applicationId,
    name: application.metadata.name,
    spec_field: originalSpecField(application),
    engine_instance_inst_id: instanceId,
    managed_environment_id: environmentId ?? tenant.environmentId,
    created_on: hoursAgo(48),
  });
  await insert('applicationowner', {
    application_owner_application_id: applicationId,
    application_owner_user_id: tenant.userId,
  });
  await insert('deploymenttoapplicationmapping', {
    deploymenttoapplicationmapping_uid_id: uid,
    name,
    namespace: tenant.namespace,
    namespace_uid: tenant.namespaceUid,
    application_id: applicationId,
  });
  await insert('applicationstate', {
    applicationstate_application_id: applicationId,
    argocd_application_status: originalStatusBlob(application, environmentId ?? 'in-cluster'),
  });
  const labels = { databaseID: applicationId };
  const metadata = { ...application.metadata, labels };
  await world.client.create(applications, { ...application, metadata });
  const body = { status: originalStatus(application, environment) };
  const ref = { namespace: tenant.namespace, name };
  const deployment = await world.client.patch(gitOpsDeployments, ref, { type: 'merge', subresource: 'status', body });
  return { deployment, application, applicationId };
};

const makeProject = async (
  { world }: Build,
  { userId }: OriginalTenant,
  permits: { readonly repositories: readonly string[]; readonly clusters: readonly string[] },
): Promise<void> => {
  await world.client.create(appProjects, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: `app-project-${userId}`, namespace: engineNamespace, annotations: { username: userId } },
    spec: {
      sourceRepos: [...permits.repositories],
      destinations: permits.clusters.map((name) => ({ name, namespace: '*' })),
    },
  });
};

/** A sync run with its rows, as the original leaves them behind until the object is deleted. */
const makeSyncRun = async (
  build: Build,
  tenant: OriginalTenant,
  { name, of, hours }: { readonly name: string; readonly of: OriginalDeployment; readonly hours: number },
): Promise<{ readonly syncRun: GitOpsDeploymentSyncRun; readonly syncId: string }> => {
  const { world, insert } = build;
  const deploymentName = of.deployment.metadata.name;
  const syncRun = await world.client.create(gitOpsDeploymentSyncRuns, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeploymentSyncRun',
    metadata: { name, namespace: tenant.namespace },
    spec: { gitopsDeploymentName: deploymentName, revisionID: 'main' },
  });
  const syncId = uuid();
  await insert('syncoperation', {
    syncoperation_id: syncId,
    application_id: of.applicationId,
    deployment_name: deploymentName,
    revision: 'main',
    desired_state: 'Running',
    created_on: hoursAgo(hours),
  });
  const [kind, uid] = ['GitOpsDeploymentSyncRun', syncRun.metadata.uid ?? ''];
  await insertLink(build, tenant, { kind, uid, name, relation: 'SyncOperation', key: syncId });
  return { syncRun, syncId };
};

interface Ticket {
  readonly type: string;
  readonly resourceId: string;
  readonly ownerId: string;
  readonly state: 'Waiting' | 'In_Progress' | 'Completed';
  readonly hours: number;
}

/** An Operation with its object. */
const makeTicket = async ({ world, insert, instanceId }: Build, ticket: Ticket): Promise<string> => {
  const id = uuid();
  await insert('operation', {
    operation_id: id,
    instance_id: instanceId,
    resource_id: ticket.resourceId,
    operation_owner_user_id: ticket.ownerId,
    resource_type: ticket.type,
    created_on: hoursAgo(ticket.hours),
    last_state_update: hoursAgo(ticket.hours),
    state: ticket.state,
  });
  await world.client.create(operations, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'Operation',
    metadata: { name: operationName(id), namespace: engineNamespace },
    spec: { operationID: id },
  });
  return id;
};

/** The sync that the original's agent ordered by way of Argo CD's API: without any note of whose it is. */
const startSync = async ({ world }: Build, { application }: OriginalDeployment): Promise<void> => {
  const operation = { sync: { revision: 'main', syncStrategy: { hook: {} } }, initiatedBy: { username: 'admin' } };
  const operationState = { operation, phase: 'Running', startedAt: '2026-01-31T12:00:00Z' };
  const ref = { namespace: engineNamespace, name: application.metadata.name };
  await world.client.patch(applications, ref, { type: 'merge', body: { operation, status: { operationState } } });
};

const otherRepository = 'https://github.com/org/other.git';

/** How an installation differs. */
interface OriginalOptions {
  /** Each tenant has a project of its own. */
  readonly isolation?: boolean;
  /** Makes the environments, `prod` among them, and credentials of `teamA`. */
  readonly makeOutside?: typeof makeUnreached;
}

/** Makes an installation in a world whose database is empty. */
export const makeOriginal = async (
  world: World,
  { isolation = false, makeOutside = makeUnreached }: OriginalOptions = {},
): Promise<OriginalInstallation> => {
  const rows = await makeOriginalDatabase(world);
  await rows.insert('clusteruser', {
    clusteruser_id: specialUser,
    user_name: specialUser,
    display_name: specialUser,
  });
  const otherKey = 'https://github.com/org/other';
  const teamA = await makeOriginalTenant(world, rows, { namespace: 'team-a' });
  const teamB = await makeOriginalTenant(world, rows, { namespace: 'team-b' });
  const outside = await makeOutside(world, rows, teamA);
  const repositories = [...new Set([someRepository, ...outside.repositories])];
  await insertRepositories(rows, teamA, repositories);
  await insertRepositories(rows, teamB, [otherKey]);
  const build: Build = { ...rows, world, isolation, outside };
  const clusters = Object.values(outside.environments).map((id) => `managed-env-${id}`);
  await makeProject(build, teamA, { repositories, clusters: [...clusters, 'in-cluster'] });
  await makeProject(build, teamB, { repositories: [otherKey], clusters: ['in-cluster'] });

  const app = await makeDeployment(build, teamA, { name: 'app' });
  const manual = await makeDeployment(build, teamA, { name: 'manual', path: 'manual', type: 'manual' });
  const destination = { environment: 'prod', namespace: 'web' };
  const remote = await makeDeployment(build, teamA, { name: 'remote', destination });
  const rest = { repoURL: otherRepository, targetRevision: 'stable', syncOptions: ['CreateNamespace=true'] };
  const other = await makeDeployment(build, teamB, { name: 'app', ...rest });

  const ended = await makeSyncRun(build, teamA, { name: 'ended', of: manual, hours: 30 });
  const open = await makeSyncRun(build, teamA, { name: 'open', of: manual, hours: 1 });
  const body = { status: { conditions: [{ type: 'ErrorOccurred', status: 'False', reason: '', message: '' }] } };
  const ref = { namespace: teamA.namespace, name: 'ended' };
  await world.client.patch(gitOpsDeploymentSyncRuns, ref, { type: 'merge', subresource: 'status', body });
  await startSync(build, manual);

  const ofApp = { type: 'Application', resourceId: app.applicationId, ownerId: teamA.userId } as const;
  const tickets: OriginalTickets = {
    longEnded: await makeTicket(build, { ...ofApp, state: 'Completed', hours: 72 }),
    lost: await makeTicket(build, { ...ofApp, state: 'In_Progress', hours: 3 }),
    ended: await makeTicket(build, { ...ofApp, state: 'Completed', hours: 2 }),
    selfHeal: await makeTicket(build, {
      ...ofApp,
      resourceId: other.applicationId,
      ownerId: specialUser,
      state: 'Waiting',
      hours: 1,
    }),
    repository: await makeTicket(build, {
      type: 'RepositoryCredentials',
      resourceId: outside.credentialId,
      ownerId: teamA.userId,
      state: 'In_Progress',
      hours: 1,
    }),
    openSync: await makeTicket(build, {
      type: 'SyncOperation',
      resourceId: open.syncId,
      ownerId: teamA.userId,
      state: 'In_Progress',
      hours: 1,
    }),
  };
  return {
    teamA,
    teamB,
    app,
    manual,
    remote,
    other,
    endedSync: ended.syncRun,
    openSync: open.syncRun,
    openSyncId: open.syncId,
    tickets,
    deploy: (options) => makeDeployment(build, teamA, options),
  };
};
