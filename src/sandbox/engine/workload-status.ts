// The statuses that Kubernetes' own controllers would write for objects that become ready after a moment. Pure.
import type { KubeObject } from '../../kube/object.ts';
import { parseTime, rfc3339, rfc3339Micro } from '../../lib/clock.ts';
import { isRecord } from '../../kube/json.ts';
import { at, listAt, numberAt, textAt } from './fields.ts';
import { groupOf } from './shapes.ts';
import { durationMs } from './sync-plan.ts';

/** On a workload: after how long it is ready, or a Job or Pod completes, whatever the setting says (`5s`, `2m`). */
const COMPLETES_AFTER = 'sandbox.managed-gitops/completes-after';
/** On a workload: that it fails, and after how long. */
const FAILS_AFTER = 'sandbox.managed-gitops/fails-after';

/** A status to write, when to look again, or nothing: the object is as ready as it gets. */
export interface WorkloadStep {
  readonly status?: Record<string, unknown>;
  readonly afterMs?: number;
}

interface Moment {
  readonly ready: boolean;
  readonly failed: boolean;
  readonly time: string;
  /** When the object began to become ready. */
  readonly since: string;
}

type Rule = (object: KubeObject, moment: Moment) => Record<string, unknown>;

/** Kubernetes' words for a Job that gave up. */
const FAILURE = 'Job has reached the specified backoff limit';

/** The condition in which the play keeps the time at which it began. */
const BEGAN = 'Progressing';

/** The reasons with which the play is over: nothing more comes. */
const ENDS: readonly string[] = ['NewReplicaSetAvailable', 'ProgressDeadlineExceeded'];

const began = ({ since, ready, failed }: Moment): Record<string, unknown> => {
  const [reason, message] = failed
    ? ['ProgressDeadlineExceeded', 'has failed, as its annotation says']
    : [
        ready ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
        ready ? 'has successfully progressed' : 'is progressing',
      ];
  return {
    type: BEGAN,
    status: failed ? 'False' : 'True',
    reason,
    message: `played by the sandbox: ${message}`,
    lastUpdateTime: since,
    lastTransitionTime: since,
  };
};

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
    conditions: [condition('Available', moment), began(moment)],
  };
};

const daemonSet: Rule = (_object, moment) => ({
  currentNumberScheduled: 1,
  desiredNumberScheduled: 1,
  updatedNumberScheduled: 1,
  numberMisscheduled: 0,
  numberReady: moment.ready ? 1 : 0,
  numberAvailable: moment.ready ? 1 : 0,
  conditions: [began(moment)],
});

const statefulSet: Rule = (object, moment) => ({
  ...replicated(object, moment),
  unavailableReplicas: undefined,
  currentReplicas: replicasOf(object),
  currentRevision: `${object.metadata.name}-1`,
  updateRevision: `${object.metadata.name}-1`,
});

/** A Pod that is not started again ends; any other one runs on. */
const podPhase = (object: KubeObject, { ready, failed }: Moment): string => {
  if (failed) return 'Failed';
  if (['Never', 'OnFailure'].includes(textAt(object, 'spec', 'restartPolicy'))) return ready ? 'Succeeded' : 'Running';
  return ready ? 'Running' : 'Pending';
};

const pod: Rule = (object, moment) => ({
  phase: podPhase(object, moment),
  ...(moment.failed ? { message: FAILURE } : {}),
  conditions: [condition('Ready', moment), began(moment)],
});

const jobEnd = (moment: Moment): readonly Record<string, unknown>[] => {
  if (moment.ready) return [condition('Complete', moment)];
  const failure = { reason: 'BackoffLimitExceeded', message: FAILURE };
  return moment.failed ? [{ ...condition('Failed', moment), ...failure, status: 'True' }] : [];
};

const job: Rule = (_object, moment) => ({
  startTime: moment.since,
  active: moment.ready || moment.failed ? 0 : 1,
  ...(moment.ready ? { succeeded: 1, completionTime: moment.time } : {}),
  ...(moment.failed ? { failed: 1 } : {}),
  conditions: [...jobEnd(moment), began(moment)],
});

const volumeClaim: Rule = (object, moment) => ({
  phase: moment.ready ? 'Bound' : 'Pending',
  ...(moment.ready ? { capacity: at(object, 'spec', 'resources', 'requests') } : {}),
  conditions: [began(moment)],
});

const balanced: Rule = (_object, moment) => ({
  loadBalancer: moment.ready ? { ingress: [{ ip: '127.0.0.1' }] } : {},
  conditions: [began(moment)],
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

/** How the play of the object ends, and how long after its beginning. */
const endingOf = (object: KubeObject, readyAfterMs: number): { readonly failed: boolean; readonly afterMs: number } => {
  const { [COMPLETES_AFTER]: completes, [FAILS_AFTER]: fails } = object.metadata.annotations ?? {};
  const failsMs = durationMs(fails ?? '');
  if (failsMs !== undefined) return { failed: true, afterMs: failsMs };
  return { failed: false, afterMs: durationMs(completes ?? '') ?? readyAfterMs };
};

/**
 * The next status of an object. It begins anew with each generation, and is ready `readyAfterMs` later, or as its
 * annotations say. The status is all there is to remember, so a restart goes on where it was.
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
  const { failed, afterMs } = endingOf(object, now.readyAfterMs);
  if (!isRecord(before) || numberAt(object, 'status', 'observedGeneration') !== generation) {
    const status = rule(object, { ready: false, failed: false, time, since: rfc3339Micro(now.ms) });
    return { status: { ...withoutUndefined(status), observedGeneration: generation }, afterMs };
  }
  if (ENDS.includes(textAt(before, 'reason'))) return {};
  const waitMs = (parseTime(since) ?? 0) + afterMs - now.ms;
  if (waitMs > 0) return { afterMs: waitMs };
  const status = rule(object, { ready: !failed, failed, time, since });
  return { status: { ...withoutUndefined(status), observedGeneration: generation } };
};
