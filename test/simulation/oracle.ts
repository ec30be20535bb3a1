// The oracle: once a world is quiet, do its objects, rows and Applications agree exactly? Used by every simulation.
import type { AppProject } from '../../src/api/argocd/app-project.ts';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { deploymentFinalizer } from '../../src/api/labels.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces, secrets } from '../../src/kube/object.ts';
import { credentialDisagreements } from './credential-oracle.ts';
import { environmentDisagreements, type OutsideView } from './environment-oracle.ts';
import { needsProject, wantedApplication, wantedProject, type WantedTenant } from './expectations.ts';
import { readRows, type Rows } from './oracle-rows.ts';
import { rowDisagreements } from './row-oracle.ts';
import { difference, hold, type Check } from './saying.ts';
import { statusDisagreements } from './status-oracle.ts';
import { syncDisagreements } from './sync-oracle.ts';

/** What the oracle looks at: both sides, past every fault. A test's `World` fits. */
export interface OracleView {
  readonly client: Pick<KubeClient, 'list'>;
  readonly database: { sql<Row = Record<string, unknown>>(text: string): Promise<Row[]> };
  /** The namespace of Argo CD. */
  readonly engineNamespace: string;
  /** Looks at what is on other clusters. */
  outsideView?(): Promise<OutsideView>;
}

/** Everything that is there, at one moment. */
interface Present {
  readonly deployments: readonly GitOpsDeployment[];
  readonly applications: readonly Application[];
  readonly projects: readonly AppProject[];
  readonly rows: Rows;
  /** UIDs by the names of namespaces. */
  readonly namespaceUids: ReadonlyMap<string, string>;
}

/**
 * What does not agree, one sentence each; none in a world where everything has been done.
 *
 * *Assumption*: nothing is under way any more, and every GitOpsDeployment's spec is valid.
 */
export const disagreements = async (view: OracleView): Promise<readonly string[]> => {
  const { client, engineNamespace } = view;
  const inEngine = { namespace: engineNamespace };
  const [deployments, syncRuns, environments, credentials, apps, projects, tickets, spaces, all, rows, outside] =
    await Promise.all([
      client.list(gitOpsDeployments),
      client.list(gitOpsDeploymentSyncRuns),
      client.list(gitOpsDeploymentManagedEnvironments),
      client.list(gitOpsDeploymentRepositoryCredentials),
      client.list(applications, inEngine),
      client.list(appProjects, inEngine),
      client.list(operations, inEngine),
      client.list(namespaces),
      client.list(secrets),
      readRows(view.database),
      view.outsideView?.(),
    ]);
  const present: Present = {
    deployments: deployments.items,
    applications: apps.items,
    projects: projects.items.filter((project) => project.metadata.name !== 'default'),
    rows,
    namespaceUids: new Map(spaces.items.map(({ metadata }) => [metadata.name, metadata.uid ?? ''])),
  };
  return [
    ...present.deployments.flatMap((deployment) => deploymentDisagreements(present, deployment, engineNamespace)),
    ...leftovers(present),
    ...tenantsOf(present).flatMap((tenant) => projectDisagreements(present, tenant)),
    ...syncDisagreements({ syncRuns: syncRuns.items, deployments: deployments.items, rows: rows.syncs }),
    ...environmentDisagreements({
      environments: environments.items,
      rows: rows.environments,
      secrets: all.items.filter(({ metadata }) => metadata.namespace === engineNamespace),
      used: new Set(apps.items.map(({ spec }) => spec.destination.name ?? '')),
      outside,
    }),
    ...credentialDisagreements({
      credentials: credentials.items,
      rows: rows.credentials,
      secrets: all.items,
      engineNamespace,
    }),
    ...rowDisagreements(rows, tenantsOf(present)),
    ...tickets.items.map(({ metadata }) => `the Operation ${metadata.name} was left over`),
  ];
};

const deploymentDisagreements = (
  present: Present,
  deployment: GitOpsDeployment,
  engineNamespace: string,
): readonly string[] => {
  const { name, namespace = '', uid = '', deletionTimestamp, finalizers = [] } = deployment.metadata;
  const who = `${namespace}/${name} (${uid})`;
  if (deletionTimestamp) {
    return hold(!finalizers.includes(deploymentFinalizer), `${who} is being deleted, and our finalizer still holds it`);
  }
  const { rows } = present;
  const links = rows.links.filter((link) => link.deploymentUid === uid);
  const [link] = links;
  if (!link || links.length > 1) return [`${who} has ${links.length} links, not one`];
  const found = present.applications.filter((application) => application.metadata.name === `gitopsdepl-${uid}`);
  const [application] = found;
  if (!application) return [`${who} has no Application`];
  const tenant = rows.tenants.find((one) => one.namespaceUid === present.namespaceUids.get(namespace));
  const named = deployment.spec?.destination?.environment;
  const environment = rows.environments.find((one) => named && one.namespace === namespace && one.name === named);
  if (named && !environment) return [`${who} names environment ${named}, which has no rows`];
  const wanted = wantedApplication(deployment, {
    engineNamespace,
    userId: tenant?.id ?? '',
    environmentId: environment?.id ?? undefined,
  });
  const checks: Check[] = [
    [link.name === name && link.namespace === namespace, `its link says ${link.namespace}/${link.name}`],
    [link.namespaceUid === present.namespaceUids.get(namespace), `its link is of namespace ${link.namespaceUid}`],
    [(link.generation ?? 0) <= (deployment.metadata.generation ?? 0), `its link is of generation ${link.generation}`],
    [tenant !== undefined && link.ownerId === tenant.id, `its application's owner is ${link.ownerId}`],
    [
      application.metadata.labels?.['databaseID'] === link.applicationId,
      'its Application has the label of another row',
    ],
    [application.metadata.deletionTimestamp === undefined, 'its Application is being deleted'],
    ...difference('its Application', wanted.spec, wantedFields(application)),
    ...difference('its row', wanted.row, link.row),
    ...statusDisagreements({ deployment, application, stored: link.stored }),
  ];
  return checks.filter(([isRight]) => !isRight).map(([, text]) => `${who}: ${text}`);
};

/** The fields of an Application that a deployment decides. */
const wantedFields = ({ spec: { project, source, destination, syncPolicy } }: Application): unknown => ({
  project,
  source,
  destination,
  syncPolicy: syncPolicy && Object.keys(syncPolicy).length > 0 ? syncPolicy : undefined,
});

const isLive = ({ metadata }: GitOpsDeployment): boolean => metadata.deletionTimestamp === undefined;

const leftovers = (present: Present): readonly string[] => {
  const live = new Set(present.deployments.filter(isLive).map(({ metadata }) => metadata.uid));
  return [
    ...present.applications
      .filter(({ metadata }) => !live.has(metadata.name.replace(/^gitopsdepl-/, '')))
      .map(({ metadata }) => `the Application ${metadata.name} was left over`),
    ...present.rows.links
      .filter((link) => !live.has(link.deploymentUid))
      .map((link) => `the rows of ${link.namespace}/${link.name} (${link.deploymentUid}) were left over`),
  ];
};

/** The tenants that have something, with what their projects should permit. */
const tenantsOf = ({ deployments, rows, namespaceUids }: Present): readonly WantedTenant[] => {
  const byNamespace = Map.groupBy(deployments.filter(isLive), ({ metadata }) => metadata.namespace ?? '');
  return rows.tenants.map(({ id, namespaceUid }) => {
    const [namespace = ''] = [...namespaceUids].find(([, uid]) => uid === namespaceUid) ?? [];
    return {
      id,
      namespace,
      deployments: byNamespace.get(namespace) ?? [],
      environmentIds: rows.environments.flatMap((one) => (one.userId === id && one.id !== null ? [one.id] : [])),
      credentialUrls: rows.credentials.flatMap((one) => (one.userId === id && one.url !== null ? [one.url] : [])),
    };
  });
};

const projectDisagreements = ({ projects }: Present, tenant: WantedTenant): readonly string[] => {
  const project = projects.find(({ metadata }) => metadata.name === `app-project-${tenant.id}`);
  const wanted = wantedProject(tenant);
  if (!wanted) return hold(!project, `the AppProject app-project-${tenant.id} was left over`);
  if (!project) return hold(!needsProject(tenant), `${tenant.namespace} has no AppProject`);
  const { sourceRepos = [], destinations } = project.spec;
  return difference(`the AppProject of ${tenant.namespace}`, wanted, {
    sourceRepos: sourceRepos.toSorted(),
    destinations,
  }).flatMap(([isRight, text]) => hold(isRight, text));
};
