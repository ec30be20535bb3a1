// Drift: what somebody changed or deleted by hand in Argo CD's namespace is made equal to its row again.
import type { Reconcile, ReconcileContext } from '../../runtime/controller.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';

/** What is looked at, `<id of its row>/drift/<what>`: each in its own turn. `agent` is the id of what has no row. */
export const driftKey = (what: DriftKind, id = 'agent'): string => `${id}/drift/${what}`;

/**
 * What is done about drift.
 * - `application`, `project`, `environment`, `credential`: puts it right; comparing with the rows is all that happens to
 *   what is as it should be.
 * - `look`: sees whether an application has drifted unseen.
 * - `missing`: searches for what should be there and is not.
 * - `rowless`: removes Secrets that have no row.
 */
export type DriftKind = 'application' | 'look' | 'missing' | 'project' | 'environment' | 'credential' | 'rowless';

/** What does it, by kind. */
export type Remedies = Readonly<
  Record<DriftKind, (id: string, signal: ReconcileContext['signal']) => Promise<ReconcileResult>>
>;

/** Creates the reconciler of drift. */
export const createDriftReconciler =
  (remedies: Remedies): Reconcile =>
  async (key, { signal }) => {
    const [id = '', , what = ''] = key.split('/');
    return isKind(remedies, what) ? remedies[what](id, signal) : undefined;
  };

const isKind = (remedies: Remedies, what: string): what is DriftKind => Object.hasOwn(remedies, what);
