// Who waits for what becomes of a deployment: for its rows, or for the end of an earlier sync of it.
import type { GitOpsDeploymentSyncRun } from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import type { StoreReader } from '../../runtime/store.ts';
import { deploymentOfRun } from './context.ts';

/** Lanes by what they wait for. Nothing is lost with it: at start every lane has a pass, which waits again. */
export interface SyncRunWaits {
  /**
   * Says before a pass that its lane waits for this deployment, `<namespace>/<name>`, and for no other: what happens
   * meanwhile counts.
   */
  add(deployment: string, key: string): void;
  /** The lane waits for nothing any more. */
  remove(key: string): void;
  /** Something has changed about a deployment, or its sync runs: looks again at all that wait for it. */
  wake(deployment: string): void;
}

/** Creates it; `enqueue` takes the lanes that are woken. */
export const createSyncRunWaits = (enqueue: (key: string) => void): SyncRunWaits => {
  const waiting = new Map<string, Set<string>>();
  const deploymentOf = new Map<string, string>();
  const remove = (key: string): void => {
    const deployment = deploymentOf.get(key) ?? '';
    const keys = waiting.get(deployment);
    if (keys?.delete(key) && keys.size === 0) waiting.delete(deployment);
    deploymentOf.delete(key);
  };
  return {
    add(deployment, key) {
      if (deploymentOf.get(key) === deployment) return;
      remove(key);
      deploymentOf.set(key, deployment);
      waiting.set(deployment, (waiting.get(deployment) ?? new Set()).add(key));
    },
    remove,
    wake(deployment) {
      for (const key of waiting.get(deployment) ?? []) enqueue(key);
    },
  };
};

/** Wakes those that wait behind a sync run which goes, or turns to another deployment. Returns the way to end it. */
export const followTurns = (
  syncRuns: StoreReader<GitOpsDeploymentSyncRun>,
  waits: Pick<SyncRunWaits, 'wake'>,
): (() => void) =>
  syncRuns.subscribe(({ type, object, old }) => {
    if (type === 'added') return;
    waits.wake(deploymentOfRun(old ?? object));
  });
