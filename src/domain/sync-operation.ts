// The way of one ordered sync through an Application: refresh, start, end. Pure: the object in, the next step out.
import type { Application } from '../api/argocd/application.ts';
import {
  refreshAnnotation,
  refreshNormal,
  syncInfoName,
  syncOrderedAnnotation,
  syncRefreshAnnotation,
} from '../api/labels.ts';
import { syncMessages } from '../api/messages.ts';
import { parseTime } from '../lib/clock.ts';
import { endSyncPatch } from './running-sync.ts';

/** What is to be done next about a sync. */
export type SyncStep =
  /** A merge patch, on condition of the `resourceVersion` that it was made from. */
  | { readonly next: 'patch'; readonly patch: Readonly<Record<string, unknown>> }
  /** Argo CD's turn; `message` says what for where the user should know. */
  | { readonly next: 'wait'; readonly message: string }
  | { readonly next: 'done' }
  | { readonly next: 'failed'; readonly message: string };

/** A sync that is wished for: the id of its row, and the revision, '' for the Application's own. */
export interface SyncWish {
  readonly id: string;
  readonly revision: string;
  /** True when it was wished for a good while ago: then the user is told what it waits for, however usual that is. */
  readonly late: boolean;
  /** The present time, epoch milliseconds. */
  readonly nowMs: number;
}

type ArgoOperation = NonNullable<Application['operation']>;

const isOf = (operation: ArgoOperation | undefined, id: string): boolean =>
  operation?.info?.some(({ name, value }) => name === syncInfoName && value === id) ?? false;

const inProgress = (phase: string | undefined): boolean => phase === 'Running' || phase === 'Terminating';

/**
 * The next step of a sync that should run. Only an `operationState` with its id is its result: others may sync the same
 * Application. It is started where nothing else runs, or Argo CD would swallow it, and only once: one whose result others
 * have overwritten has failed, since its hooks must not run again.
 */
export const nextSyncStep = (application: Application, wish: SyncWish): SyncStep => {
  const { operation, status, metadata } = application;
  const state = status?.operationState;
  const mine = isOf(state?.operation, wish.id);
  if (state && mine && !inProgress(state.phase)) return resultOf(state, application.status ?? {}, wish);
  if (mine || isOf(operation, wish.id)) return { next: 'wait', message: '' };
  const annotations = metadata.annotations ?? {};
  if (annotations[syncOrderedAnnotation] === wish.id) {
    return { next: 'failed', message: syncMessages.overwritten(metadata.name) };
  }
  if (operation || inProgress(state?.phase)) {
    return { next: 'wait', message: `waiting for another sync of Application ${metadata.name} to end` };
  }
  if (annotations[refreshAnnotation] !== undefined) {
    return { next: 'wait', message: wish.late ? `waiting for Argo CD to refresh Application ${metadata.name}` : '' };
  }
  const isFresh = annotations[syncRefreshAnnotation] === wish.id;
  return { next: 'patch', patch: isFresh ? orderPatch(application, wish) : refreshPatch(wish) };
};

/**
 * The next step of a sync that should end: it is terminated if it is the one that runs. Another one is left alone.
 * `late` is true when the end was wished for so long ago that the user should know.
 */
export const nextTerminateStep = (application: Application, { id, late }: Pick<SyncWish, 'id' | 'late'>): SyncStep => {
  const { operation, status, metadata } = application;
  const state = status?.operationState;
  const runs = isOf(state?.operation, id) && inProgress(state?.phase);
  if (!runs && !isOf(operation, id)) return { next: 'done' };
  const patch = endSyncPatch(application);
  if (patch) return { next: 'patch', patch };
  return { next: 'wait', message: late ? syncMessages.neverTerminated(metadata.name) : '' };
};

/** The annotations ask for a refresh, and remember that it was for this sync. */
const refreshPatch = ({ id }: SyncWish) => ({
  metadata: { annotations: { [refreshAnnotation]: refreshNormal, [syncRefreshAnnotation]: id } },
});

/** Orders the sync, and remembers that it was ordered. */
const orderPatch = (application: Application, wish: SyncWish) => ({
  metadata: { annotations: { [syncOrderedAnnotation]: wish.id } },
  operation: operationFor(application, wish),
});

/** As Argo CD's own API orders a sync: hooks run, nothing is pruned, and the Application's sync options hold. */
const operationFor = ({ spec }: Application, { id, revision }: SyncWish): ArgoOperation => {
  const syncOptions = spec.syncPolicy?.syncOptions ?? [];
  return {
    info: [{ name: syncInfoName, value: id }],
    initiatedBy: { username: 'managed-gitops' },
    sync: {
      syncStrategy: { hook: {} },
      ...(revision && { revision }),
      ...(syncOptions.length > 0 && { syncOptions }),
    },
  };
};

type Status = NonNullable<Application['status']>;

/** How long Argo CD's comparison after a sync is waited for. */
const COMPARED_WITHIN_MS = 10_000;

/**
 * Objects that were not pruned are a failure only where they are missed: Argo CD may be told to disregard them, and then
 * finds the Application synced. Only its comparison after the end can tell, so that is waited for, for a while. Both are
 * dated in seconds: one of the same second as the end that finds it out of sync may have been made before it.
 */
const resultOf = (
  { phase, message, syncResult, finishedAt }: NonNullable<Status['operationState']>,
  { sync, reconciledAt }: Status,
  { nowMs }: SyncWish,
): SyncStep => {
  if (phase !== 'Succeeded') return { next: 'failed', message: syncMessages.ended(phase, message ?? '') };
  const unpruned = (syncResult?.resources ?? []).filter(({ status }) => status === 'PruneSkipped').length;
  if (unpruned === 0) return { next: 'done' };
  const endedMs = parseTime(finishedAt) ?? -Infinity;
  const comparedMs = parseTime(reconciledAt) ?? -Infinity;
  if (sync?.status === 'Synced' && comparedMs >= endedMs) return { next: 'done' };
  return comparedMs > endedMs || nowMs >= endedMs + COMPARED_WITHIN_MS
    ? { next: 'failed', message: syncMessages.requirePruning(unpruned) }
    : { next: 'wait', message: '' };
};
