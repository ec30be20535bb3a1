// One tenant's namespace in a lane: what its team asked for, and whether everything agrees with that.
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces } from '../../src/kube/object.ts';
import type { Lane } from './crash-lane.ts';

/** A namespace, and what is asked for in it. */
export interface Stage {
  readonly namespace: string;
  /** Asks for a deployment of a folder; again for another folder. */
  deploy(name: string, path: string, type?: 'automated' | 'manual'): Promise<void>;
  /** Asks for its end. */
  remove(name: string): Promise<void>;
  /** Asks for a sync of a deployment to a revision. */
  sync(name: string, deployment: string, revision: string): Promise<void>;
  /** Takes that back. */
  removeSync(name: string): Promise<void>;
  /** Asks for the end of whatever is still asked for. */
  clear(): Promise<void>;
  /** The folder of each deployment that is asked for, by name. */
  readonly deployments: ReadonlyMap<string, string>;
  /** The names of the syncs that are asked for. */
  readonly syncs: ReadonlySet<string>;
  /** What may go: `<kind> <name>`. */
  readonly removable: ReadonlySet<string>;
}

/** Creates the namespace. */
export const createStage = async ({ client }: Lane, namespace: string): Promise<Stage> => {
  await client.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace },
  });
  const deployments = new Map<string, string>();
  const syncs = new Set<string>();
  const removable = new Set<string>();
  const stage: Stage = {
    namespace,
    deployments,
    syncs,
    removable,
    async deploy(name, path, type = 'automated') {
      const wanted = deploymentOf({ namespace, name }, { path, type });
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
    async clear() {
      for (const name of syncs) await stage.removeSync(name);
      for (const name of deployments.keys()) await stage.remove(name);
    },
  };
  return stage;
};

/** A repository for each folder, so that a change of the folder is one of the tenant's project too. */
const deploymentOf = (
  metadata: { readonly namespace: string; readonly name: string },
  { path, type }: { readonly path: string; readonly type: string },
): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata,
  spec: { source: { repoURL: `https://github.com/org/${path}`, path }, type },
});
