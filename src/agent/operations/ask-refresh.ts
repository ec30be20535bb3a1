// Has Argo CD look again at Applications whose cluster or repository is reached in another way than before: by itself it does
// so minutes later, and keeps a repository's refusal to itself for as long.
import type { Application } from '../../api/argocd/application.ts';
import { databaseIdLabel } from '../../api/labels.ts';
import { requestRefreshes } from '../../db/queries/application-state.ts';
import { utcText } from '../../lib/clock.ts';
import type { AgentContext } from '../context.ts';

/** Argo CD reads Secrets from a cache, which is a little behind. */
const AFTER_MS = 1000;

/**
 * Asks for a look at these, a moment from now. *Assumption*: it is called before the Secret is written; dying in between
 * costs one look too many, and the other way round it would be one too few.
 */
export const askForRefresh = async (
  { db, clock }: AgentContext,
  users: readonly Application[],
  cause: 'credential' | 'environment',
): Promise<void> => {
  const ids = new Set(users.flatMap(({ metadata }) => metadata.labels?.[databaseIdLabel] ?? []));
  if (ids.size === 0) return;
  const nowMs = clock.now();
  const dueAt = utcText(nowMs + AFTER_MS);
  await requestRefreshes(db, { applicationIds: [...ids], cause, deliveryId: null, dueAt, now: utcText(nowMs) });
};
