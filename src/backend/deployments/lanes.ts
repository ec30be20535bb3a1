// Step 1: what the watches see, as keys of lanes.
import type { GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import type { Namespace } from '../../kube/object.ts';
import type { Indexers, StoreChange, StoreReader } from '../../runtime/store.ts';
import type { Absences } from './absences.ts';
import { laneKey } from './lane.ts';
import type { StatusReporter } from './status.ts';

/** Finds deployments by the name of their namespace. */
export const deploymentIndexers = {
  namespace: (deployment: GitOpsDeployment) => [deployment.metadata.namespace ?? ''],
} satisfies Indexers<GitOpsDeployment>;

/** What turns changes into keys. */
export interface LaneSources {
  /** With `deploymentIndexers`. */
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly namespaces: StoreReader<Namespace>;
  readonly absences: Absences;
  readonly status: StatusReporter;
  readonly enqueue: (key: string) => void;
}

/**
 * Enqueues the lane of every deployment that changes, our own status patches excepted. A deployment whose namespace is
 * not in the cache yet waits for it: the namespace's arrival enqueues it. Returns the function that ends this.
 */
export const followDeployments = (sources: LaneSources): (() => void) => {
  const { deployments, namespaces, absences, status, enqueue } = sources;
  // The namespace may have left the cache, or have been made again, before the deletion of what was in it is seen.
  const laneOfUid = new Map<string, string>();

  const changed = ({ type, object }: StoreChange<GitOpsDeployment>): void => {
    const { uid = '', namespace = '', name } = object.metadata;
    if (type === 'deleted') {
      const key = laneOfUid.get(uid);
      laneOfUid.delete(uid);
      absences.sawDeletion(uid);
      status.forget(uid);
      if (key !== undefined) enqueue(key);
      return;
    }
    absences.sawPresence(uid);
    const namespaceUid = namespaces.get(namespace)?.metadata.uid;
    if (namespaceUid === undefined) return;
    const key = laneKey({ namespaceUid, name });
    // Under a key that it did not have before, it is news even when its last change was our own.
    const moved = laneOfUid.get(uid) !== key;
    laneOfUid.set(uid, key);
    if (moved || !status.isEcho(object)) enqueue(key);
  };
  const arrived = ({ type, object }: StoreChange<Namespace>): void => {
    if (type !== 'added') return;
    for (const deployment of deployments.byIndex('namespace', object.metadata.name)) {
      changed({ type: 'modified', object: deployment });
    }
  };

  const ends = [deployments.subscribe(changed), namespaces.subscribe(arrived)];
  for (const deployment of deployments.list()) changed({ type: 'added', object: deployment });
  return () => ends.forEach((end) => end());
};
