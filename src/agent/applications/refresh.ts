// Carries out wishes for a refresh: Argo CD looks at the repository when an annotation asks it to.
import { applications } from '../../api/argocd/application.ts';
import { refreshAnnotation, refreshNormal } from '../../api/labels.ts';
import { removeRefreshes, selectRefreshes, type RefreshRow } from '../../db/queries/application-state.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { parseTime } from '../../lib/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { AgentContext } from '../context.ts';

/** The only key of the refresher. */
export const refreshKey = 'agent/refresh/all';

const PAGE = 100;

/** Creates the refresher: sets the annotation for each wish that is due, removes the wish, and comes back for the next. */
export const createRefreshReconciler =
  (context: AgentContext): Reconcile =>
  async (_key, { signal }) => {
    const wishes = await selectRefreshes(context.db, await context.engine.identity(), PAGE);
    const nowMs = context.clock.now();
    const due = wishes.filter((wish) => (parseTime(wish.due_at) ?? 0) <= nowMs);
    const ends = await Promise.allSettled(due.map((wish) => refresh(context, wish, signal)));
    const done = due.filter((_, index) => ends[index]?.status === 'fulfilled');
    if (done.length > 0) await removeRefreshes(context.db, done);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    const next = wishes.find((wish) => !due.includes(wish));
    if (due.length === PAGE) return { afterMs: 1 };
    return next ? { afterMs: Math.max((parseTime(next.due_at) ?? nowMs) - nowMs, 1) } : undefined;
  };

const refresh = async ({ client, engine }: AgentContext, { name }: RefreshRow, signal: AbortSignal): Promise<void> => {
  if (name === null) return;
  const body = { metadata: { annotations: { [refreshAnnotation]: refreshNormal } } };
  try {
    await client.patch(applications, { namespace: engine.namespace, name }, { type: 'merge', body, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error; // not made yet: Argo CD looks at it anyway when it is
  }
};
