// Removes Argo CD's Applications of a row that is gone, without ever holding a worker while Argo CD cleans up.
import { applications, type Application } from '../../api/argocd/application.ts';
import { applicationFinalizer, applicationNameFor, databaseIdLabel } from '../../api/labels.ts';
import { waitingFault } from '../../api/reasons.ts';
import { endSyncPatch } from '../../domain/running-sync.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { parseTime } from '../../lib/clock.ts';
import type { AgentContext, HandlerContext } from '../context.ts';
import { patchApplication } from '../patch-application.ts';
import { readLive } from '../written.ts';

/** While a deletion runs, its Application's events wake the lane; this only catches what they miss. */
const LOOK_AGAIN_MS = 10_000;

/** A row that is gone. */
interface GoneRow {
  readonly applicationId: string;
  /** The UID of the GitOpsDeployment whose removal took it away, where known. */
  readonly deploymentUid: string | null;
  /** True for the id of an application that has a row. */
  readonly hasRow: (applicationId: string) => Promise<boolean>;
}

/**
 * Returns when no Application bears the row's id, read live, or the name that goes with the deployment.
 * @throws Fault('waiting') as long as Argo CD is at it; with what blocks as its message once that takes too long.
 */
export const removeApplicationsOf = async (context: HandlerContext, gone: GoneRow): Promise<void> => {
  const { client, engine, signal } = context;
  const { items } = await client.list(applications, {
    namespace: engine.namespace,
    labelSelector: `${databaseIdLabel}=${gone.applicationId}`,
    signal,
  });
  const named = await findByName(context, gone, items);
  const remaining: Application[] = [];
  for (const application of named ? [...items, named] : items) {
    const left = await removeApplication(context, application);
    if (left) remaining.push(left);
  }
  const [first] = remaining;
  if (first) throw waitingFault('WaitingForArgoCD', blockedMessage(context, first), LOOK_AGAIN_MS);
};

/** The Application of the deployment when somebody has changed its label, unless it has another row now. */
const findByName = async (
  { client, engine: { namespace }, signal }: HandlerContext,
  { deploymentUid, hasRow }: GoneRow,
  found: readonly Application[],
): Promise<Application | undefined> => {
  if (deploymentUid === null) return undefined;
  const name = applicationNameFor(deploymentUid);
  if (found.some(({ metadata }) => metadata.name === name)) return undefined;
  const named = await readLive({ client, resource: applications }, { namespace, name }, { signal });
  const label = named?.metadata.labels?.[databaseIdLabel];
  return label && (await hasRow(label)) ? undefined : named;
};

/** Asks Argo CD to delete an Application with what it deployed. Returns the Application as long as it is there. */
const removeApplication = async (context: HandlerContext, found: Application): Promise<Application | undefined> => {
  const { client, signal } = context;
  try {
    const end = endSyncPatch(found);
    const ended = end ? await patchApplication(context, found, end) : found;
    if (ended.metadata.deletionTimestamp) return ended;
    const finalizers = ended.metadata.finalizers ?? [];
    const held = finalizers.some((finalizer) => finalizer.startsWith('resources-finalizer.argocd.argoproj.io'))
      ? ended
      : await patchApplication(context, ended, { metadata: { finalizers: [...finalizers, applicationFinalizer] } });
    const { namespace = '', name, uid = '' } = held.metadata;
    // Argo CD's own finalizer deletes what was deployed; nothing else hangs on an Application, so that waiting for
    // Kubernetes' garbage collector as well would only add somebody to wait for.
    await client.delete(applications, { namespace, name }, { uid, propagationPolicy: 'Background', signal });
    return await client.get(applications, { namespace, name }, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** '' while the deletion is young; then what the user can look at. */
const blockedMessage = ({ clock, settings }: AgentContext, { metadata, status }: Application): string => {
  const sinceMs = parseTime(metadata.deletionTimestamp) ?? clock.now();
  if (clock.now() - sinceMs < settings.blockedAfterMs) return '';
  const error = status?.conditions?.findLast((condition) => condition.type === 'DeletionError')?.message;
  const foreign = (metadata.finalizers ?? []).filter(
    (one) => !one.startsWith('resources-finalizer.argocd.argoproj.io'),
  );
  const left = (status?.resources ?? []).map(
    ({ kind, namespace, name }) => `${kind} ${namespace ? `${namespace}/` : ''}${name}`,
  );
  const blocks = [
    ...(error ? [`Argo CD says: ${error}`] : []),
    ...(foreign.length > 0 ? [`finalizers ${foreign.join(', ')} of Application ${metadata.name}`] : []),
    ...(left.length > 0
      ? [`deployed objects ${left.slice(0, 5).join(', ')}${left.length > 5 ? ` and ${left.length - 5} more` : ''}`]
      : []),
  ];
  const named = blocks.length > 0 ? blocks.join('; ') : `Application ${metadata.name}`;
  return `deletion waits for ${named}`;
};
