// Who waits for what becomes of a deployment: for its rows, or for the end of an earlier sync of it.
import type { GitOpsDeploymentSyncRun } from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import { createGroups } from '../../lib/groups.ts';
import { laneOf } from '../lane.ts';
import { deploymentOfRun, hasTurn, turnOf, type SyncRunContext } from './context.ts';

/** Lanes by what they wait for. Nothing is lost with it: at start every lane has a pass, which waits again. */
export interface SyncRunWaits {
  /**
   * Says before a pass that its lane waits for this deployment, `<namespace>/<name>`, and for no other: what happens
   * meanwhile counts.
   */
  add(deployment: string, key: string): void;
  /** The lane waits for nothing any more. */
  remove(key: string): void;
  /** Something has changed about a deployment: looks again at all that wait for it. */
  wake(deployment: string): void;
  /** A turn is over: looks again at the one whose turn is next. */
  wakeNext(deployment: string): void;
}

/** Creates it; `enqueue` takes the lanes that are woken. */
export const createSyncRunWaits = (
  { syncRuns, ordered }: Pick<SyncRunContext, 'syncRuns' | 'ordered'>,
  enqueue: (key: string) => void,
): SyncRunWaits => {
  const waiting = createGroups();
  return {
    add: (deployment, key) => waiting.put(key, deployment),
    remove: waiting.drop,
    wake(deployment) {
      for (const key of waiting.of(deployment)) enqueue(key);
    },
    wakeNext(deployment) {
      const [namespace = ''] = deployment.split('/');
      let next: { readonly key: string; readonly turn: string } | undefined;
      for (const key of waiting.of(deployment)) {
        const syncRun = syncRuns.get(`${namespace}/${laneOf(key).name}`);
        if (!syncRun || !hasTurn(syncRun, ordered)) continue;
        const turn = turnOf(syncRun);
        if (!next || turn < next.turn) next = { key, turn };
      }
      if (next) enqueue(next.key);
    },
  };
};

/** Wakes who waits behind a sync run that goes, or whose spec changes. Returns the way to end it. */
export const followTurns = (
  { syncRuns, ordered }: Pick<SyncRunContext, 'syncRuns' | 'ordered'>,
  waits: Pick<SyncRunWaits, 'wakeNext'>,
): (() => void) =>
  syncRuns.subscribe(({ type, object, old }) => {
    if (type === 'deleted') ordered.delete(object.metadata.uid ?? '');
    if (type === 'deleted' || (old && !isSameTurn(old, object))) waits.wakeNext(deploymentOfRun(old ?? object));
  });

/** A change of the spec, and a deletion that begins, count up the generation. A status does not. */
const isSameTurn = (one: GitOpsDeploymentSyncRun, other: GitOpsDeploymentSyncRun): boolean =>
  one.metadata.generation === other.metadata.generation &&
  one.metadata.deletionTimestamp === other.metadata.deletionTimestamp;
