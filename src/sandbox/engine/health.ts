// Health of live objects by Argo CD's built-in rules, in short form. Pure.
import type { KubeObject } from '../../kube/object.ts';
import { at, listAt, numberAt, textAt } from './fields.ts';
import { groupOf, type GroupKind, type Health, type HealthCode } from './shapes.ts';

/** On any live object: the health that the engine reports for it, whatever its status says. For trying things out. */
const FORCED_HEALTH = 'sandbox.managed-gitops/health';

const ORDER: readonly HealthCode[] = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'];

/** The worse of two. */
export const worse = (left: HealthCode, right: HealthCode): HealthCode =>
  ORDER.indexOf(left) >= ORDER.indexOf(right) ? left : right;

type Rule = (object: KubeObject) => Health;

const healthy: Health = { status: 'Healthy' };
const progressing = (message: string): Health => ({ status: 'Progressing', message });

const conditionOf = (object: KubeObject, type: string): unknown =>
  listAt(object, 'status', 'conditions').find((condition) => textAt(condition, 'type') === type);
const isTrue = (condition: unknown): boolean => textAt(condition, 'status') === 'True';

const isObserved = (object: KubeObject): boolean =>
  (object.metadata.generation ?? 0) <= (numberAt(object, 'status', 'observedGeneration') ?? 0);

/** Replicas as the status counts them; an absent count is none. */
const count = (object: KubeObject, name: string): number => numberAt(object, 'status', name) ?? 0;

const deployment: Rule = (object) => {
  if (at(object, 'spec', 'paused') === true) return { status: 'Suspended', message: 'Deployment is paused' };
  if (!isObserved(object))
    return progressing('Waiting for rollout to finish: observed deployment generation less than desired generation');
  if (textAt(conditionOf(object, 'Progressing'), 'reason') === 'ProgressDeadlineExceeded')
    return { status: 'Degraded', message: `Deployment "${object.metadata.name}" exceeded its progress deadline` };
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const updated = count(object, 'updatedReplicas');
  const available = count(object, 'availableReplicas');
  if (updated < wanted)
    return progressing(`Waiting for rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`);
  if (count(object, 'replicas') > updated)
    return progressing(
      `Waiting for rollout to finish: ${count(object, 'replicas') - updated} old replicas are pending termination...`,
    );
  if (available < updated)
    return progressing(`Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`);
  return healthy;
};

const statefulSet: Rule = (object) => {
  if (!isObserved(object)) return progressing('Waiting for statefulset spec update to be observed...');
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  if (count(object, 'readyReplicas') < wanted) return progressing(`Waiting for ${wanted} pods to be ready...`);
  if (textAt(object, 'status', 'updateRevision') !== textAt(object, 'status', 'currentRevision'))
    return progressing('waiting for statefulset rolling update to complete');
  return healthy;
};

const daemonSet: Rule = (object) => {
  if (!isObserved(object))
    return progressing('Waiting for rollout to finish: observed daemon set generation less than desired generation');
  const wanted = count(object, 'desiredNumberScheduled');
  const updated = count(object, 'updatedNumberScheduled');
  if (updated < wanted)
    return progressing(
      `Waiting for daemon set rollout to finish: ${updated} out of ${wanted} new pods have been updated...`,
    );
  if (count(object, 'numberAvailable') < wanted)
    return progressing(
      `Waiting for daemon set rollout to finish: ${count(object, 'numberAvailable')} of ${wanted} updated pods are available...`,
    );
  return healthy;
};

const replicaSet: Rule = (object) => {
  if (!isObserved(object))
    return progressing('Waiting for rollout to finish: observed replica set generation less than desired generation');
  const failure = conditionOf(object, 'ReplicaFailure');
  if (isTrue(failure)) return { status: 'Degraded', message: textAt(failure, 'message') };
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const available = count(object, 'availableReplicas');
  return available < wanted
    ? progressing(`Waiting for rollout to finish: ${available} out of ${wanted} new replicas are available...`)
    : healthy;
};

const pod: Rule = (object) => {
  const phase = textAt(object, 'status', 'phase');
  const message = textAt(object, 'status', 'message');
  if (phase === 'Succeeded') return healthy;
  if (phase === 'Failed') return { status: 'Degraded', message };
  if (phase === 'Running') return isTrue(conditionOf(object, 'Ready')) ? healthy : progressing(message);
  return phase === 'Unknown' || phase === '' ? { status: 'Unknown', message } : progressing(message);
};

const job: Rule = (object) => {
  const failed = conditionOf(object, 'Failed');
  if (isTrue(failed)) return { status: 'Degraded', message: textAt(failed, 'message') };
  const complete = conditionOf(object, 'Complete');
  if (isTrue(complete)) return { status: 'Healthy', message: textAt(complete, 'message') };
  return isTrue(conditionOf(object, 'Suspended')) ? { status: 'Suspended' } : progressing('');
};

const service: Rule = (object) =>
  textAt(object, 'spec', 'type') === 'LoadBalancer' && listAt(object, 'status', 'loadBalancer', 'ingress').length === 0
    ? { status: 'Progressing' }
    : healthy;

const ingress: Rule = (object) =>
  listAt(object, 'status', 'loadBalancer', 'ingress').length > 0 ? healthy : { status: 'Progressing' };

const volumeClaim: Rule = (object) => {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Lost') return { status: 'Degraded' };
  if (phase === 'Pending') return { status: 'Progressing' };
  return { status: phase === 'Bound' ? 'Healthy' : 'Unknown' };
};

const autoscaler: Rule = (object) => {
  const failure = listAt(object, 'status', 'conditions').find(
    (condition) => /^Failed|^Invalid/.test(textAt(condition, 'reason')) && textAt(condition, 'status') === 'False',
  );
  if (failure) return { status: 'Degraded', message: textAt(failure, 'message') };
  return isTrue(conditionOf(object, 'AbleToScale')) || isTrue(conditionOf(object, 'ScalingLimited'))
    ? healthy
    : progressing('Waiting to Autoscale');
};

const customResourceDefinition: Rule = (object) => {
  if (at(object, 'status') === undefined) return progressing('Status conditions not found');
  const accepted = conditionOf(object, 'NamesAccepted');
  if (accepted && !isTrue(accepted))
    return { status: 'Degraded', message: `CRD names have not been accepted: ${textAt(accepted, 'message')}` };
  return isTrue(conditionOf(object, 'Established')) ? healthy : progressing('CRD is not established');
};

const RULES: Readonly<Record<string, Rule>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/ReplicaSet': replicaSet,
  '/Pod': pod,
  '/Service': service,
  '/PersistentVolumeClaim': volumeClaim,
  'batch/Job': job,
  'networking.k8s.io/Ingress': ingress,
  'autoscaling/HorizontalPodAutoscaler': autoscaler,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
};

const isHealthCode = (text: string): text is HealthCode => ORDER.some((code) => code === text);

/** Whether objects of the kind have a health at all. One that is missing weighs on its Application only then. */
export const hasHealthRule = ({ group, kind }: GroupKind): boolean => RULES[`${group}/${kind}`] !== undefined;

/** The health of a live object; undefined for a kind without a rule (a ConfigMap is there or not, no more). */
export const healthOf = (object: KubeObject): Health | undefined => {
  const forced = object.metadata.annotations?.[FORCED_HEALTH] ?? '';
  if (isHealthCode(forced)) return { status: forced, message: `set by the annotation ${FORCED_HEALTH}` };
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
  if (!rule) return undefined;
  if (object.metadata.deletionTimestamp) return progressing('Pending deletion');
  return rule(object);
};
