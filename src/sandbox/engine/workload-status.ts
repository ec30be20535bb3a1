// The statuses that Kubernetes' own controllers would write for objects that become ready after a moment. Pure.
import type { KubeObject } from '../../kube/object.ts';
import { parseTime, rfc3339, rfc3339Micro } from '../../lib/clock.ts';
import { isRecord } from '../../kube/json.ts';
import { at, listAt, numberAt, textAt } from './fields.ts';
import { groupOf } from './shapes.ts';

/** A status to write, when to look again, or nothing: the object is as ready as it gets. */
export interface WorkloadStep {
  readonly status?: Record<string, unknown>;
  readonly afterMs?: number;
}

interface Moment {
  readonly ready: boolean;
  readonly time: string;
  /** When the object began to become ready. */
  readonly since: string;
}

type Rule = (object: KubeObject, moment: Moment) => Record<string, unknown>;

/** The condition in which the play keeps the time at which it began. */
const BEGAN = 'Progressing';

const began = ({ since }: Moment, done: boolean): Record<string, unknown> => ({
  type: BEGAN,
  status: 'True',
  reason: done ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
  message: done ? 'played by the sandbox: has successfully progressed' : 'played by the sandbox: is progressing',
  lastUpdateTime: since,
  lastTransitionTime: since,
});

const condition = (type: string, { ready, time }: Moment): Record<string, unknown> => ({
  type,
  status: ready ? 'True' : 'False',
  reason: ready ? 'Ready' : 'Starting',
  message: 'played by the sandbox: nothing runs',
  lastTransitionTime: time,
});

const replicasOf = (object: KubeObject): number => numberAt(object, 'spec', 'replicas') ?? 1;

const replicated: Rule = (object, moment) => {
  const replicas = replicasOf(object);
  const up = moment.ready ? replicas : 0;
  return {
    replicas,
    updatedReplicas: replicas,
    readyReplicas: up,
    availableReplicas: up,
    unavailableReplicas: replicas - up,
    conditions: [condition('Available', moment), began(moment, moment.ready)],
  };
};

const daemonSet: Rule = (_object, moment) => ({
  currentNumberScheduled: 1,
  desiredNumberScheduled: 1,
  updatedNumberScheduled: 1,
  numberMisscheduled: 0,
  numberReady: moment.ready ? 1 : 0,
  numberAvailable: moment.ready ? 1 : 0,
  conditions: [began(moment, moment.ready)],
});

const statefulSet: Rule = (object, moment) => ({
  ...replicated(object, moment),
  unavailableReplicas: undefined,
  currentReplicas: replicasOf(object),
  currentRevision: `${object.metadata.name}-1`,
  updateRevision: `${object.metadata.name}-1`,
});

const pod: Rule = (_object, moment) => ({
  phase: moment.ready ? 'Running' : 'Pending',
  conditions: [condition('Ready', moment), began(moment, moment.ready)],
});

const job: Rule = (_object, moment) => ({
  startTime: moment.since,
  active: moment.ready ? 0 : 1,
  ...(moment.ready ? { succeeded: 1, completionTime: moment.time } : {}),
  conditions: [...(moment.ready ? [condition('Complete', moment)] : []), began(moment, moment.ready)],
});

const volumeClaim: Rule = (object, moment) => ({
  phase: moment.ready ? 'Bound' : 'Pending',
  ...(moment.ready ? { capacity: at(object, 'spec', 'resources', 'requests') } : {}),
  conditions: [began(moment, moment.ready)],
});

const balanced: Rule = (_object, moment) => ({
  loadBalancer: moment.ready ? { ingress: [{ ip: '127.0.0.1' }] } : {},
  conditions: [began(moment, moment.ready)],
});

const RULES: Readonly<Record<string, Rule>> = {
  'apps/Deployment': replicated,
  'apps/ReplicaSet': replicated,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'batch/Job': job,
  '/Pod': pod,
  '/PersistentVolumeClaim': volumeClaim,
  'networking.k8s.io/Ingress': balanced,
};

const ruleFor = (object: KubeObject): Rule | undefined => {
  if (object.kind === 'Service') return textAt(object, 'spec', 'type') === 'LoadBalancer' ? balanced : undefined;
  return RULES[`${groupOf(object.apiVersion)}/${object.kind}`];
};

/** Whether the object's kind is one that the sandbox makes ready. */
export const isPlayed = (object: KubeObject): boolean => ruleFor(object) !== undefined;

const withoutUndefined = (status: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));

/**
 * The next status of an object. It begins anew with each generation, and is ready `readyAfterMs` later. The status is
 * all there is to remember, so a restart goes on where it was.
 */
export const nextWorkloadStep = (
  object: KubeObject,
  now: { readonly ms: number; readonly readyAfterMs: number },
): WorkloadStep => {
  const rule = ruleFor(object);
  if (!rule || object.metadata.deletionTimestamp) return {};
  const time = rfc3339(now.ms);
  const generation = object.metadata.generation ?? 1;
  const before = listAt(object, 'status', 'conditions').find((each) => textAt(each, 'type') === BEGAN);
  const since = textAt(before, 'lastUpdateTime');
  if (!isRecord(before) || numberAt(object, 'status', 'observedGeneration') !== generation) {
    const status = rule(object, { ready: false, time, since: rfc3339Micro(now.ms) });
    return { status: { ...withoutUndefined(status), observedGeneration: generation }, afterMs: now.readyAfterMs };
  }
  if (textAt(before, 'reason') === 'NewReplicaSetAvailable') return {};
  const waitMs = (parseTime(since) ?? 0) + now.readyAfterMs - now.ms;
  if (waitMs > 0) return { afterMs: waitMs };
  const status = rule(object, { ready: true, time, since });
  return { status: { ...withoutUndefined(status), observedGeneration: generation } };
};
