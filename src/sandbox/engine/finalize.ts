// Deletes what an Application deployed, waits until it is gone, and lets the Application go.
import { applications } from '../../api/argocd/application.ts';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { rfc3339, type Clock } from '../../lib/clock.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { Comparer } from './comparison.ts';
import type { Kinds } from './kinds.ts';
import { mergeConditions } from './conditions.ts';
import type { FindProject, PassContext } from './operate.ts';
import { DEFAULT_PROJECT, isDestinationPermitted, isKindPermitted, resolveDestination } from './project.ts';
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

/**
 * Creates the function that finalizes an Application that is being deleted and has no `operation` any more. Without its
 * project it can't: a DeletionError says so. With an unknown destination, or objects the project no longer permits, the
 * objects are left behind, as Argo CD leaves them.
 */
export const createFinalize = (parts: {
  readonly client: KubeClient;
  readonly comparer: Comparer;
  readonly kinds: Kinds;
  readonly write: WriteStatus;
  readonly findProject: FindProject;
  readonly clock: Clock;
}) => {
  const { client, comparer, kinds, write, findProject, clock } = parts;

  const letGo = async (application: Application, signal: AbortSignal): Promise<void> => {
    const { name, namespace, resourceVersion, finalizers = [] } = application.metadata;
    const rest = finalizers.filter((finalizer) => !(finalizer in FINALIZERS));
    const body = { metadata: { ...(resourceVersion ? { resourceVersion } : {}), finalizers: rest } };
    await client.patch(applications, { name, ...(namespace ? { namespace } : {}) }, { type: 'merge', body, signal });
  };

  const remove = async (
    object: KubeObject,
    policy: 'Foreground' | 'Background',
    signal: AbortSignal,
  ): Promise<void> => {
    const resource = await kinds.find(object.apiVersion, object.kind, signal);
    const { name, namespace, uid, deletionTimestamp } = object.metadata;
    if (!resource || deletionTimestamp) return;
    try {
      await client.delete(
        resource,
        { name, ...(namespace ? { namespace } : {}) },
        {
          signal,
          propagationPolicy: policy,
          ...(uid ? { uid } : {}),
        },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const permittedObjects = async (application: Application, project: AppProject, signal: AbortSignal) => {
    const destination = resolveDestination(application.spec.destination);
    if (!destination) return [];
    const objects = await comparer.tracked(application, signal);
    return objects.filter(({ apiVersion, kind, metadata: { namespace, annotations } }) => {
      if (annotations?.['argocd.argoproj.io/sync-options']?.split(',').includes('Delete=false')) return false;
      if (!isKindPermitted(project, { group: groupOf(apiVersion), kind }, namespace !== undefined)) return false;
      return namespace === undefined || isDestinationPermitted(project, { ...destination, namespace });
    });
  };

  const block = async (application: Application, signal: AbortSignal): Promise<void> => {
    const message = `error getting app project ${JSON.stringify(application.spec.project || DEFAULT_PROJECT)}: not found`;
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
      await block(application, signal);
      return undefined;
    }
    const objects = await permittedObjects(application, project, signal);
    for (const object of objects) await remove(object, policy, signal);
    const left = objects.length > 0 ? await permittedObjects(application, project, signal) : [];
    if (left.length > 0) {
      log.debug('waiting for the objects of a deleted Application to go', { count: left.length });
      return POLL_MS;
    }
    await letGo(application, signal);
    log.info('deleted what the Application had deployed', { count: objects.length });
    return undefined;
  };
};
