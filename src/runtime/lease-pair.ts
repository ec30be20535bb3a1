// Two Leases that have to be held at once: one among our own replicas, one that another program takes as well.
import type { LeaseCandidate } from './lease.ts';

/**
 * A candidate for both. The second is asked for only while the first is held, and by a candidate of its own for each
 * term: two replicas that each hold one of them would wait for each other for ever.
 */
export const createLeasePair = (first: LeaseCandidate, createSecond: () => LeaseCandidate): LeaseCandidate => {
  let second: LeaseCandidate | undefined;
  const giveUpSecond = async (): Promise<void> => {
    const given = second;
    second = undefined;
    await given?.stop();
  };
  return {
    start: () => first.start(),
    async whenHeld(signal) {
      for (;;) {
        const term = await first.whenHeld(signal);
        await giveUpSecond();
        second = createSecond();
        second.start();
        try {
          const secondTerm = await second.whenHeld(signal ? AbortSignal.any([signal, term]) : term);
          return AbortSignal.any([term, secondTerm]);
        } catch (error) {
          if (!term.aborted || signal?.aborted) throw error; // else the first was lost meanwhile: from the beginning
        }
      }
    },
    get held() {
      return first.held && second?.held === true;
    },
    async stop() {
      await giveUpSecond();
      await first.stop();
    },
  };
};
