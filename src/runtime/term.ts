// Work that goes on only while a Lease is held, and begins anew with each term.
import type { LeaseCandidate } from './lease.ts';
import type { Part } from './process.ts';

/** What runs during one term. */
export interface Work {
  stop(): Promise<void>;
}

/**
 * The part of a process that works under a Lease: whenever it is held, `begin` starts the work; when it is lost, the
 * work is stopped before anything else, and begins again with the next term.
 */
export const createTerms = (options: {
  readonly name: string;
  readonly lease: LeaseCandidate;
  /** `lost` aborts when the term ends by itself. */
  readonly begin: (lost: AbortSignal) => Promise<Work> | Work;
}): Part => {
  const { lease, begin } = options;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();

  const serve = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const lost = await lease.whenHeld(stopping.signal);
      const work = await begin(lost);
      await aborted(AbortSignal.any([lost, stopping.signal]));
      await work.stop();
    }
  };

  return {
    name: options.name,
    start() {
      lease.start();
      running = serve().catch((error: unknown) => {
        if (!stopping.signal.aborted) throw error;
      });
    },
    async stop() {
      stopping.abort();
      await running;
      await lease.stop();
    },
  };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
