// Ending a sync that stands in the way: Argo CD neither deletes an Application nor leaves the revision that a retrying
// sync is pinned to while its `operation` is set. Pure.
import type { Application } from '../api/argocd/application.ts';

/** A merge patch, or a part of one. */
type EndSyncPatch =
  { readonly operation: null } | { readonly status: { readonly operationState: { readonly phase: 'Terminating' } } };

/** The part of a merge patch that ends the sync of an Application; undefined when there is none to end. */
export const endSyncPatch = ({ operation, status }: Application): EndSyncPatch | undefined => {
  if (!operation) return undefined;
  const phase = status?.operationState?.phase;
  if (phase === 'Terminating') return undefined;
  // One that runs is ended by Argo CD itself; one it has not taken yet is simply taken back.
  return phase === 'Running' ? { status: { operationState: { phase: 'Terminating' } } } : { operation: null };
};

/** True when a failed sync is tried again at a revision that the repository has moved on from. */
export const retriesOldRevision = ({ operation, status }: Application): boolean => {
  const state = status?.operationState;
  if (!operation || state?.phase !== 'Running' || !state.retryCount) return false;
  const pinned = state.syncResult?.revision;
  const present = status?.sync?.revision;
  return Boolean(pinned && present && pinned !== present);
};
