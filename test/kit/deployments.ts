// GitOpsDeployments of tests: made, found, and their Applications reported on as Argo CD would.
import { applications, type Application, type ApplicationStatus } from '../../src/api/argocd/application.ts';
import { applicationNameFor, deploymentFinalizer } from '../../src/api/labels.ts';
import {
  gitOpsDeployments,
  type GitOpsDeployment,
  type GitOpsDeploymentCondition,
  type GitOpsDeploymentSpec,
} from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { eventually } from './eventually.ts';
import { engineNamespace, type World } from './world.ts';

/** What a test says of a deployment; the rest is as usual. */
export interface DeploymentOptions {
  readonly name?: string;
  readonly namespace: string;
  readonly repoURL?: string;
  readonly path?: string;
  readonly targetRevision?: string;
  readonly type?: string;
  readonly syncOptions?: readonly string[];
  readonly destination?: NonNullable<GitOpsDeploymentSpec['destination']>;
  /** With the finalizer that keeps it until what it deployed is gone. */
  readonly finalizer?: boolean;
}

/** The repository of a deployment that names none. Nobody reads it where Argo CD is played by hand. */
export const someRepository = 'https://github.com/org/repo';

/** A GitOpsDeployment `app` of folder `app` of `someRepository`, automated, unless told otherwise. */
export const aDeployment = (options: DeploymentOptions): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata: {
    name: options.name ?? 'app',
    namespace: options.namespace,
    ...(options.finalizer && { finalizers: [deploymentFinalizer] }),
  },
  spec: {
    source: {
      repoURL: options.repoURL ?? someRepository,
      path: options.path ?? 'app',
      ...(options.targetRevision && { targetRevision: options.targetRevision }),
    },
    type: options.type ?? 'automated',
    ...(options.destination && { destination: options.destination }),
    ...(options.syncOptions && { syncPolicy: { syncOptions: [...options.syncOptions] } }),
  },
});

/** The value, or undefined where the API server has none. */
export const orAbsent = async <T>(reading: Promise<T>): Promise<T | undefined> => {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** The condition of a type. */
export const conditionOf = (
  deployment: GitOpsDeployment | undefined,
  type: string,
): GitOpsDeploymentCondition | undefined =>
  deployment?.status?.conditions?.find((condition) => condition.type === type);

/** A world seen from one deployment. */
export interface Deployments {
  get(ref: ObjectRef): Promise<GitOpsDeployment | undefined>;
  /** Waits until the deployment's Application is there, and gives both. */
  deployed(deployment: GitOpsDeployment): Promise<Application>;
  /** Its Application as it is now, if it is. */
  application(deployment: GitOpsDeployment): Promise<Application | undefined>;
  /** Writes to its Application, as Argo CD would. */
  patchApplication(deployment: GitOpsDeployment, body: unknown): Promise<Application>;
  /** Lets its Application, which is being deleted, go: as if Argo CD had cleaned up. */
  cleanUp(deployment: GitOpsDeployment): Promise<void>;
  /** Waits for a condition with this reason, and gives the deployment. */
  withReason(ref: ObjectRef, type: string, reason: string): Promise<GitOpsDeployment>;
}

/** The reads and writes that tests do on a world's deployments. */
export const deploymentsOf = (world: World): Deployments => {
  const { client } = world;
  const refOf = ({ metadata }: GitOpsDeployment) => ({
    namespace: engineNamespace,
    name: applicationNameFor(metadata.uid ?? ''),
  });
  const application: Deployments['application'] = (deployment) => orAbsent(client.get(applications, refOf(deployment)));
  const get: Deployments['get'] = (ref) => orAbsent(client.get(gitOpsDeployments, ref));
  return {
    get,
    application,
    deployed: (deployment) =>
      eventually(`the Application of ${deployment.metadata.name}`, () => application(deployment)),
    patchApplication: (deployment, body) => client.patch(applications, refOf(deployment), { type: 'merge', body }),
    async cleanUp(deployment) {
      await eventually('the Application is being deleted', async () =>
        Boolean((await application(deployment))?.metadata.deletionTimestamp),
      );
      await client.patch(applications, refOf(deployment), { type: 'merge', body: { metadata: { finalizers: null } } });
    },
    withReason: (ref, type, reason) =>
      eventually(`${type} because of ${reason}`, async () => {
        const deployment = await get(ref);
        const condition = conditionOf(deployment, type);
        if (condition?.reason !== reason) throw new Error(JSON.stringify(deployment?.status?.conditions));
        return deployment;
      }),
  };
};

/** The status that Argo CD gives an Application that is in sync and healthy. */
export const healthyStatus = ({ spec }: Application, revision = 'a'.repeat(40)): ApplicationStatus => ({
  health: { status: 'Healthy' },
  sync: {
    status: 'Synced',
    revision,
    comparedTo: { ...(spec.source && { source: spec.source }), destination: spec.destination },
  },
});
