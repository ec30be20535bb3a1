// Deletes what an Application deployed, waits until it is gone, and lets the Application go.
import { applications } from '../../api/argocd/application.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { Cluster, Clusters } from './clusters.ts';
import { clusterError } from './comparison.ts';
import { mergeConditions } from './conditions.ts';
import type { FindProject, PassContext } from './operate.ts';
import { DEFAULT_PROJECT, inCluster, isDestinationPermitted, isKindPermitted } from './project.ts';
import { groupOf, type Application } from './shapes.ts';
import type { WriteStatus } from './status-writer.ts';

/** Argo CD's finalizers; how objects are deleted is in the last part of the name. */
const FINALIZERS: Readonly<Record<string, 'Foreground' | 'Background'>> = {
  'resources-finalizer.argocd.argoproj.io': 'Foreground',
  'resources-finalizer.argocd.argoproj.io/foreground': 'Foreground',
  'resources-finalizer.argocd.argoproj.io/background': 'Background',
};

/** How soon the objects are looked at again, besides at each of their changes. */
const POLL_MS = 500;

/** How soon a cluster that could not be asked is asked again. */
const RETRY_MS = 2000;

/** How objects are deleted, and until when. */
interface Removal {
  readonly policy: 'Foreground' | 'Background';
  readonly signal: AbortSignal;
}

const remove = async ({ client, kinds }: Cluster, object: KubeObject, { policy, signal }: Removal): Promise<void> => {
  const resource = await kinds.find(object.apiVersion, object.kind, signal);
  const { name, namespace, uid, deletionTimestamp } = object.metadata;
  if (!resource || deletionTimestamp) return;
  const options = { signal, propagationPolicy: policy, ...(uid ? { uid } : {}) };
  try {
    await client.delete(resource, { name, ...(namespace ? { namespace } : {}) }, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};

const permittedObjects = async (
  cluster: Cluster,
  { application, project }: { readonly application: Application; readonly project: AppProject },
  signal: AbortSignal,
): Promise<readonly KubeObject[]> => {
  const { name, server } = cluster;
  const objects = await cluster.comparer.tracked(application, signal);
  return objects.filter(({ apiVersion, kind, metadata: { namespace, annotations } }) => {
    if (annotations?.['argocd.argoproj.io/sync-options']?.split(',').includes('Delete=false')) return false;
    if (!isKindPermitted(project, { group: groupOf(apiVersion), kind }, namespace !== undefined)) return false;
    return namespace === undefined || isDestinationPermitted(project, { name, server, namespace });
  });
};

/** Deletes what the Application has in the cluster. How many objects there were, and how many are still there. */
const removeObjects = async (
  cluster: Cluster,
  of: { readonly application: Application; readonly project: AppProject },
  removal: Removal,
): Promise<{ readonly found: number; readonly left: number }> => {
  const objects = await permittedObjects(cluster, of, removal.signal);
  for (const object of objects) await remove(cluster, object, removal);
  const left = objects.length > 0 ? await permittedObjects(cluster, of, removal.signal) : [];
  return { found: objects.length, left: left.length };
};

/**
 * Creates the function that finalizes an Application that is being deleted and has no `operation` any more. Without its
 * project it can't, nor while the cluster doesn't answer: a DeletionError says so. With an unknown destination, or objects
 * the project no longer permits, the objects are left behind, as Argo CD leaves them.
 */
export const createFinalize = (parts: {
  readonly client: KubeClient;
  readonly clusters: Clusters;
  readonly write: WriteStatus;
  readonly findProject: FindProject;
  readonly clock: Clock;
}) => {
  const { client, clusters, write, findProject, clock } = parts;

  const letGo = async (application: Application, signal: AbortSignal): Promise<void> => {
    const { name, namespace, resourceVersion, finalizers = [] } = application.metadata;
    const rest = finalizers.filter((finalizer) => !(finalizer in FINALIZERS));
    const body = { metadata: { ...(resourceVersion ? { resourceVersion } : {}), finalizers: rest } };
    await client.patch(applications, { name, ...(namespace ? { namespace } : {}) }, { type: 'merge', body, signal });
  };

  const block = async (application: Application, message: string, signal: AbortSignal): Promise<void> => {
    const found = [{ type: 'DeletionError', message }];
    const how = { evaluated: ['DeletionError'], now: rfc3339(clock.now()) };
    const conditions = mergeConditions(application.status?.conditions, found, how);
    await write(application, { status: { ...application.status, conditions } }, signal);
  };

  return async (application: Application, { signal, log }: PassContext): Promise<number | undefined> => {
    const mine = application.metadata.finalizers?.find((finalizer) => finalizer in FINALIZERS);
    const policy = FINALIZERS[mine ?? ''];
    if (!policy) return undefined;
    const project = await findProject(application, signal);
    if (!project) {
      const name = JSON.stringify(application.spec.project || DEFAULT_PROJECT);
      await block(application, `error getting app project ${name}: not found`, signal);
      return undefined;
    }
    const cluster = clusters.find(application.spec.destination);
    if (typeof cluster === 'string') {
      await letGo(application, signal);
      log.info('let a deleted Application go, whose cluster is not known');
      return undefined;
    }
    try {
      const { found, left } = await removeObjects(cluster, { application, project }, { policy, signal });
      if (left > 0) {
        log.debug('waiting for the objects of a deleted Application to go', { count: left });
        return POLL_MS;
      }
      log.info('deleted what the Application had deployed', { count: found });
    } catch (error) {
      if (signal.aborted || cluster.server === inCluster.server) throw error;
      await block(application, clusterError(cluster, error), signal);
      return RETRY_MS;
    }
    await letGo(application, signal);
    return undefined;
  };
};
