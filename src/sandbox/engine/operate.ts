// Carries an Application's `operation` through: running, waiting for a wave, retried, terminated, ended.
import type { AppProject } from '../../api/argocd/app-project.ts';
import { parseTime, rfc3339, type Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Clusters } from './clusters.ts';
import { kitchenTime } from './conditions.ts';
import { validateSpec } from './project.ts';
import { lineKey } from './run-hooks.ts';
import type { Application, ApplicationStatus, Condition, OperationState, SyncedResource } from './shapes.ts';
import type { WriteStatus } from './status-writer.ts';
import { mayRetry, retryDelayMs } from './sync-plan.ts';

/** What a pass gets. */
export interface PassContext {
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** Reads the project that an Application names, from the cluster. */
export type FindProject = (application: Application, signal: AbortSignal) => Promise<AppProject | undefined>;

/** The end of one step: whether the operation ended, and when to look again if not. */
export interface OperationStep {
  readonly ended: boolean;
  readonly afterMs?: number;
}

/** How soon a wave that waits is looked at again, besides at each change of its objects. */
const WAVE_POLL_MS = 500;

const isEnded = ({ phase }: OperationState): boolean => !['Running', 'Terminating'].includes(phase);

const spokenConditions = (conditions: readonly Condition[]): string =>
  conditions.map(({ type, message }) => `${type}: ${message}`).join(';');

/** A step that goes on finds the objects of earlier waves unchanged: what was done to them stays in the result. */
const withFormerResults = (lines: SyncedResource[], former: readonly SyncedResource[]): SyncedResource[] => {
  const done = new Map(former.map((line) => [lineKey(line), line]));
  return lines.map((line) => (line.message?.endsWith(' unchanged') ? (done.get(lineKey(line)) ?? line) : line));
};

/** The state after a failure: waiting for its next try, or failed for good. */
const afterFailure = (state: OperationState, nowMs: number): OperationState => {
  const { operation, message = '' } = state;
  const retryCount = state.retryCount ?? 0;
  const finishedAt = rfc3339(nowMs);
  if (!mayRetry(operation, retryCount)) {
    const retried = retryCount > 0 ? ` (retried ${retryCount} times).` : '';
    return { ...state, message: `${message}${retried}`, finishedAt };
  }
  const at = kitchenTime(rfc3339(nowMs + retryDelayMs(operation.retry ?? {}, retryCount)));
  const waiting = `${message}. Retrying attempt #${retryCount + 1} at ${at}.`;
  return { ...state, phase: 'Running', message: waiting, retryCount: retryCount + 1, finishedAt };
};

/** The state after a step: still running, succeeded, or what a failure leads to. */
const conclude = (state: OperationState, nowMs: number): OperationState => {
  if (state.phase === 'Running') return state;
  return state.phase === 'Succeeded' ? { ...state, finishedAt: rfc3339(nowMs) } : afterFailure(state, nowMs);
};

/** The list of finished syncs with this one, as long as Argo CD keeps it. */
const withHistory = (status: ApplicationStatus, state: OperationState): ApplicationStatus['history'] => {
  const { syncResult, operation, startedAt, finishedAt = startedAt } = state;
  const { sync } = operation;
  const counts = state.phase === 'Succeeded' && syncResult && !sync?.dryRun && !sync?.resources?.length;
  const before = status.history ?? [];
  if (!counts) return status.history;
  const id = (before.at(-1)?.id ?? -1) + 1;
  const { revision, source } = syncResult;
  return [
    ...before,
    { id, revision, deployStartedAt: startedAt, deployedAt: finishedAt, ...(source ? { source } : {}) },
  ].slice(-10);
};

/** What a terminated sync leaves: its result, with the hooks that were taken away. */
const terminated = (state: OperationState, deleted: readonly SyncedResource[], nowMs: number): OperationState => {
  const { syncResult } = state;
  const gone = new Set(deleted.map(lineKey));
  const kept = (syncResult?.resources ?? []).filter((line) => !gone.has(lineKey(line)));
  return {
    ...state,
    phase: 'Failed',
    message: 'Operation terminated',
    finishedAt: rfc3339(nowMs),
    ...(syncResult ? { syncResult: { ...syncResult, resources: [...kept, ...deleted] } } : {}),
  };
};

interface Parts {
  readonly clusters: Clusters;
  readonly write: WriteStatus;
  readonly findProject: FindProject;
  readonly clock: Clock;
}

/** Ends the hooks that run; whatever is wrong with the source, the operation is terminated all the same. */
const endHooks = async (
  { clusters, findProject }: Pick<Parts, 'clusters' | 'findProject'>,
  { application, state, signal }: { application: Application; state: OperationState; signal: AbortSignal },
): Promise<readonly SyncedResource[]> => {
  const source = state.operation.sync?.source ?? application.spec.source;
  const project = await findProject(application, signal);
  const cluster = clusters.find(application.spec.destination);
  const isValid = validateSpec(application, project, cluster).length === 0;
  if (!project || !source || typeof cluster === 'string' || !isValid) return [];
  const revision = state.syncResult?.revision || state.operation.sync?.revision || source.targetRevision || '';
  const comparison = await cluster.comparer.compare({ application, project, source, revision, signal });
  return cluster.sync.terminate(comparison, signal);
};

/** Creates the function that makes one step of an Application's operation. */
export const createOperate = (parts: Parts) => {
  const { clusters, write, findProject, clock } = parts;

  const syncNow = async (
    application: Application,
    state: OperationState,
    signal: AbortSignal,
  ): Promise<OperationState> => {
    const order = state.operation.sync;
    const source = order?.source ?? application.spec.source;
    if (!order || !source)
      return { ...state, phase: 'Failed', message: 'Invalid operation request: no operation specified' };
    const project = await findProject(application, signal);
    const cluster = clusters.find(application.spec.destination);
    const invalid = validateSpec(application, project, cluster);
    const failed: OperationState = { ...state, phase: 'Error', syncResult: { revision: order.revision ?? '', source } };
    if (!project || typeof cluster === 'string' || invalid.length > 0)
      return { ...failed, message: spokenConditions(invalid) };
    const revision = state.syncResult?.revision || order.revision || source.targetRevision || '';
    const comparison = await cluster.comparer.compare({ application, project, source, revision, signal });
    const errors = comparison.conditions.filter(({ type }) => type.endsWith('Error'));
    if (errors.length > 0) return { ...failed, message: spokenConditions(errors) };
    const former = state.syncResult?.resources ?? [];
    const startedAtMs = parseTime(state.startedAt) ?? clock.now();
    const request = { application, project, order, comparison, startedAtMs, former, signal };
    const { resources, ...progress } = await cluster.sync.step(request);
    const results = withFormerResults(resources, former);
    return { ...state, ...progress, syncResult: { revision: comparison.revision, source, resources: results } };
  };

  const begin = (application: Application): OperationState => ({
    phase: 'Running',
    operation: application.operation ?? {},
    startedAt: rfc3339(clock.now()),
  });

  const save = (application: Application, state: OperationState, signal: AbortSignal): Promise<Application> => {
    const status = {
      ...application.status,
      operationState: state,
      history: withHistory(application.status ?? {}, state),
    };
    return write(application, isEnded(state) ? { status, operation: null } : { status }, signal);
  };

  return async (given: Application, { signal, log }: PassContext): Promise<OperationStep> => {
    let application = given;
    const former = given.status?.operationState;
    let state = former && !isEnded(former) ? former : begin(given);
    if (state.phase === 'Terminating') {
      const deleted = await endHooks(parts, { application, state, signal });
      await save(application, terminated(state, deleted, clock.now()), signal);
      log.info('terminated the operation');
      return { ended: true };
    }
    const failedAtMs = parseTime(state.finishedAt);
    if (failedAtMs !== undefined) {
      const delayMs = retryDelayMs(state.operation.retry ?? {}, Math.max((state.retryCount ?? 1) - 1, 0));
      const waitMs = failedAtMs + delayMs - clock.now();
      if (waitMs > 0) return { ended: false, afterMs: waitMs };
      const { finishedAt: _finishedAt, syncResult: _syncResult, ...again } = state;
      state = again;
    }
    application = await save(application, state, signal);
    const next = await syncNow(application, state, signal);
    const after = conclude(next, clock.now());
    await save(application, after, signal);
    if (isEnded(after)) log.info(`sync ${after.phase.toLowerCase()}: ${after.message ?? ''}`);
    return isEnded(after) ? { ended: true } : { ended: false, afterMs: WAVE_POLL_MS };
  };
};
