// Remembers which objects were seen to go, so that nothing is removed because it was merely not seen.
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';

/** What is known about the objects of one kind, by UID, that are not there. */
export interface Absences {
  /** The watch said that it was deleted. */
  sawDeletion(uid: string): void;
  /** It was read, alive. */
  sawPresence(uid: string): void;
  /**
   * It was looked for, live, and was not there. True when that is proof: its deletion was seen, or this is the second
   * look, at least `secondLookMs` after the first, and not too many others are missing in the same unexplained way.
   */
  isGone(uid: string): boolean;
  /** Its rows are removed: nobody asks any more. */
  forget(uid: string): void;
  /** Milliseconds between two looks. */
  readonly secondLookMs: number;
}

/** What an operator sets. */
export interface AbsenceSettings {
  readonly secondLookMs: number;
  /** Most objects of a kind that may be missing at once without their deletion having been seen. More look like a mistake. */
  readonly maxUnseenDeletions: number;
}

/** Deletions that are remembered; what is forgotten costs a second look, no more. */
const MOST_REMEMBERED = 10_000;

/** Creates an empty memory. A restart forgets it, which only means two looks again. */
export const createAbsences = (
  { clock, log, metrics }: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics },
  { secondLookMs, maxUnseenDeletions, kind }: AbsenceSettings & { readonly kind: string },
): Absences => {
  const deleted = new Set<string>();
  const missingSinceMs = new Map<string, number>();
  const held = metrics.gauge({
    name: 'managed_gitops_unseen_deletions',
    help: 'Objects that are missing although their deletion was not seen',
    labels: ['kind'],
  });
  let told = false;
  const counted = (): void => {
    held.set(missingSinceMs.size, { kind });
    if (missingSinceMs.size <= maxUnseenDeletions) told = false;
  };
  const settled = (uid: string): void => {
    deleted.delete(uid);
    if (missingSinceMs.delete(uid)) counted();
  };

  const tooMany = (): boolean => {
    if (missingSinceMs.size <= maxUnseenDeletions) return false;
    if (!told) {
      log.error(
        `${missingSinceMs.size} ${kind}s are missing without their deletion having been seen; nothing of them is removed. ` +
          'Is this the right cluster and database? If it is, start again with a higher --max-unseen-deletions',
      );
    }
    told = true;
    return true;
  };

  return {
    secondLookMs,
    sawDeletion(uid) {
      deleted.add(uid);
      for (const oldest of deleted) {
        if (deleted.size <= MOST_REMEMBERED) break;
        deleted.delete(oldest);
      }
    },
    sawPresence: settled,
    isGone(uid) {
      if (deleted.has(uid)) return true;
      const sinceMs = missingSinceMs.get(uid);
      if (sinceMs === undefined) {
        missingSinceMs.set(uid, clock.monotonicMs());
        counted();
      }
      return !tooMany() && sinceMs !== undefined && clock.monotonicMs() - sinceMs >= secondLookMs;
    },
    forget: settled,
  };
};
