// Writes an Application's status, in one merge patch on the object itself, and only if something changed.
import { refreshAnnotation } from '../../api/labels.ts';
import { applications } from '../../api/argocd/application.ts';
import type { KubeClient } from '../../kube/client.ts';
import { mergePatch } from '../../kube/patch.ts';
import type { Application, ApplicationStatus, Operation } from './shapes.ts';

/** What becomes of an Application. `operation: null` ends the operation; `refreshed` takes the refresh request away. */
export interface ApplicationChange {
  readonly status: ApplicationStatus;
  readonly operation?: Operation | null;
  readonly refreshed?: boolean;
}

/** Writes a change and gives the Application as it is then. */
export type WriteStatus = (
  application: Application,
  change: ApplicationChange,
  signal: AbortSignal,
) => Promise<Application>;

/**
 * Creates the writer. Each patch carries the `resourceVersion` that was read: whoever changed the Application meanwhile
 * (a terminate, say) is never overwritten; the answer is then 409 Conflict, and the pass is made again.
 */
export const createStatusWriter =
  (client: KubeClient): WriteStatus =>
  async (application, change, signal) => {
    const { name, namespace, resourceVersion, annotations } = application.metadata;
    const status = mergePatch(application.status ?? {}, change.status);
    const ending = change.operation === null && application.operation !== undefined;
    const starting = change.operation ? { operation: change.operation } : {};
    const operation = ending ? { operation: null } : starting;
    const refreshed = change.refreshed && annotations?.[refreshAnnotation] !== undefined;
    if (status === undefined && operation.operation === undefined && !refreshed) return application;
    const body = {
      metadata: {
        ...(resourceVersion ? { resourceVersion } : {}),
        ...(refreshed ? { annotations: { [refreshAnnotation]: null } } : {}),
      },
      ...(status === undefined ? {} : { status }),
      ...operation,
    };
    return client.patch(applications, { name, ...(namespace ? { namespace } : {}) }, { type: 'merge', body, signal });
  };
