// One tenant's namespace in a lane: what its team asked for, and whether everything agrees with that.
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces } from '../../src/kube/object.ts';
import { aKubeconfig, createCredential, createEnvironment, putCredential, putKubeconfig } from '../kit/environments.ts';
import { gitLogin, type Lane } from './crash-lane.ts';

/** A namespace, and what is asked for in it. */
export interface Stage {
  readonly namespace: string;
  /** Asks for a deployment of a folder; again for another folder. */
  deploy(name: string, path: string, options?: DeployOptions): Promise<void>;
  /** Asks for its end. */
  remove(name: string): Promise<void>;
  /** Asks for a sync of a deployment to a revision. */
  sync(name: string, deployment: string, revision: string): Promise<void>;
  /** Takes that back. */
  removeSync(name: string): Promise<void>;
  /** Asks for an environment on the other cluster, with an account of its own; again for another account. */
  connect(name: string): Promise<void>;
  /** Asks for its end. */
  disconnect(name: string): Promise<void>;
  /** Asks for a credential of a repository; again for another repository. */
  permit(name: string, repository: string): Promise<void>;
  /** Asks for its end. */
  forbid(name: string): Promise<void>;
  /** Asks for the end of whatever is still asked for. */
  clear(): Promise<void>;
  /** The folder of each deployment that is asked for, by name. */
  readonly deployments: ReadonlyMap<string, string>;
  /** The names of the syncs that are asked for. */
  readonly syncs: ReadonlySet<string>;
  /** The names of the environments that are asked for. */
  readonly environments: ReadonlySet<string>;
  /** The repository of each credential that is asked for, by name. */
  readonly credentials: ReadonlyMap<string, string>;
  /** What may go: `<kind> <name>`. */
  readonly removable: ReadonlySet<string>;
}

/** How a deployment is asked for. */
export interface DeployOptions {
  readonly type?: 'automated' | 'manual';
  /** Where it is deployed to; the cluster of Argo CD unless given. */
  readonly environment?: string;
}

/** Creates the namespace. */
export const createStage = async (lane: Lane, namespace: string): Promise<Stage> => {
  const { client } = lane;
  await client.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  const deployments = new Map<string, string>();
  const syncs = new Set<string>();
  const environments = new Set<string>();
  const credentials = new Map<string, string>();
  const removable = new Set<string>();
  const outside = createOutside(lane, { namespace, environments, credentials, removable });
  const stage: Stage = {
    namespace,
    deployments,
    syncs,
    environments,
    credentials,
    removable,
    async deploy(name, path, { type = 'automated', environment } = {}) {
      const wanted = deploymentOf({ namespace, name }, { path, type, environment });
      if (deployments.has(name)) {
        const body = { spec: wanted.spec };
        await client.patch(gitOpsDeployments, { namespace, name }, { type: 'merge', body });
      } else {
        await client.create(gitOpsDeployments, wanted);
      }
      deployments.set(name, path);
    },
    async remove(name) {
      const { metadata } = await client.get(gitOpsDeployments, {
        namespace,
        name,
      });
      deployments.delete(name);
      removable.add(`GitOpsDeployment ${name}`).add(`Application ${applicationNameFor(metadata.uid ?? '')}`);
      await client.delete(gitOpsDeployments, { namespace, name });
    },
    async sync(name, deployment, revision) {
      syncs.add(name);
      await client.create(gitOpsDeploymentSyncRuns, {
        apiVersion: 'managed-gitops.redhat.com/v1alpha1',
        kind: 'GitOpsDeploymentSyncRun',
        metadata: { namespace, name },
        spec: { gitopsDeploymentName: deployment, revisionID: revision },
      });
    },
    async removeSync(name) {
      syncs.delete(name);
      removable.add(`GitOpsDeploymentSyncRun ${name}`);
      await client.delete(gitOpsDeploymentSyncRuns, { namespace, name });
    },
    ...outside,
    async clear() {
      for (const name of syncs) await stage.removeSync(name);
      for (const name of deployments.keys()) await stage.remove(name);
      for (const name of environments) await stage.disconnect(name);
      for (const name of credentials.keys()) await stage.forbid(name);
    },
  };
  return stage;
};

interface Asked {
  readonly namespace: string;
  readonly environments: Set<string>;
  readonly credentials: Map<string, string>;
  readonly removable: Set<string>;
}

/** What is asked for about environments and credentials. */
const createOutside = (
  lane: Lane,
  { namespace, environments, credentials, removable }: Asked,
): Pick<Stage, 'connect' | 'disconnect' | 'permit' | 'forbid'> => {
  const { client, remote } = lane;
  let edits = 0;
  /** Another text each time: whatever is made from it is made anew. */
  const kubeconfig = (name: string): Promise<void> => {
    const text = aKubeconfig({ server: remote.url, token: remote.token });
    return putKubeconfig(lane, { namespace, name }, `${text}# edit ${(edits += 1)}\n`);
  };
  return {
    async connect(name) {
      await kubeconfig(name);
      if (environments.has(name)) return;
      environments.add(name);
      await createEnvironment(lane, { namespace, name }, { apiURL: remote.url, createNewServiceAccount: true });
    },
    async disconnect(name) {
      environments.delete(name);
      removable.add(`GitOpsDeploymentManagedEnvironment ${name}`);
      await client.delete(gitOpsDeploymentManagedEnvironments, { namespace, name });
    },
    async permit(name, repository) {
      const ref = { namespace, name };
      if (credentials.has(name)) {
        const body = { spec: { repository } };
        await client.patch(gitOpsDeploymentRepositoryCredentials, ref, { type: 'merge', body });
      } else {
        await putCredential(lane, ref, gitLogin);
        await createCredential(lane, ref, { repository });
      }
      credentials.set(name, repository);
    },
    async forbid(name) {
      credentials.delete(name);
      removable.add(`GitOpsDeploymentRepositoryCredential ${name}`);
      await client.delete(gitOpsDeploymentRepositoryCredentials, { namespace, name });
    },
  };
};

/** A repository for each folder, so that a change of the folder is one of the tenant's project too. */
const deploymentOf = (
  metadata: { readonly namespace: string; readonly name: string },
  {
    path,
    type,
    environment,
  }: { readonly path: string; readonly type: string; readonly environment: string | undefined },
): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata,
  spec: {
    source: { repoURL: `https://github.com/org/${path}`, path },
    type,
    ...(environment && { destination: { environment, namespace: 'web' } }),
  },
});
