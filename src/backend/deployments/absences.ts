// Remembers which deployments were seen to go, so that nothing is removed because it was merely not seen.
import type { Clock } from '../../lib/clock.ts';

/** What is known about deployments, by UID, that are not there. */
export interface Absences {
  /** The watch said that it was deleted. */
  sawDeletion(uid: string): void;
  /** It was read, alive. */
  sawPresence(uid: string): void;
  /**
   * It was looked for, live, and was not there. True when that is proof: its deletion was seen, or this is the second
   * look, at least `secondLookMs` after the first.
   */
  isGone(uid: string): boolean;
  /** Its rows are removed: nobody asks any more. */
  forget(uid: string): void;
  /** Milliseconds between two looks. */
  readonly secondLookMs: number;
}

/** Creates an empty memory. A restart forgets it, which only means two looks again. */
export const createAbsences = (clock: Clock, secondLookMs: number): Absences => {
  const deleted = new Set<string>();
  const missingSinceMs = new Map<string, number>();
  return {
    secondLookMs,
    sawDeletion: (uid) => void deleted.add(uid),
    sawPresence(uid) {
      missingSinceMs.delete(uid);
    },
    isGone(uid) {
      if (deleted.has(uid)) return true;
      const sinceMs = missingSinceMs.get(uid);
      if (sinceMs !== undefined) return clock.monotonicMs() - sinceMs >= secondLookMs;
      missingSinceMs.set(uid, clock.monotonicMs());
      return false;
    },
    forget(uid) {
      deleted.delete(uid);
      missingSinceMs.delete(uid);
    },
  };
};
