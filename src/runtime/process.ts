// Ordered start, reverse stop: the parts of a process, each of which waits for the one before.
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';

/** Something that starts and stops. `start` returns once the next part may start. */
export interface Part {
  readonly name: string;
  start(signal: AbortSignal): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/** A process made of parts. */
export interface Process {
  /**
   * Starts the parts in order.
   * @throws what a part's start throws, after stopping the parts that had started.
   */
  start(): Promise<void>;
  /** Stops in reverse order, also in the middle of a start. A part that takes longer than the deadline is left behind and named. */
  stop(): Promise<void>;
}

/** Creates a process from its parts. `stopMs` is the deadline of each part's stop. */
export const createProcess = (options: {
  readonly parts: readonly Part[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly stopMs?: number;
}): Process => {
  const { parts, clock, log, stopMs = 15_000 } = options;
  const abort = new AbortController();
  const started: Part[] = [];
  let stopping: Promise<void> | undefined;

  const stopPart = async (part: Part): Promise<void> => {
    let cancel = (): void => {};
    const late = new Promise<'late'>((resolve) => {
      const timer = clock.after(stopMs, () => resolve('late'));
      cancel = () => timer.cancel();
    });
    try {
      const end = await Promise.race([Promise.resolve(part.stop?.()), late]);
      if (end === 'late') log.warn(`${part.name} did not stop in time; it is left behind`, { afterMs: stopMs });
    } catch (error) {
      log.warn(`${part.name} did not stop cleanly: ${messageOf(error)}`, { err: error });
    } finally {
      cancel();
    }
  };
  const stopAll = async (): Promise<void> => {
    abort.abort();
    for (let part = started.pop(); part; part = started.pop()) await stopPart(part);
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());

  return {
    async start() {
      for (const part of parts) {
        if (abort.signal.aborted) return;
        started.push(part); // before its start, so that what a failed start left behind is stopped too
        try {
          await part.start(abort.signal);
        } catch (error) {
          const asked = abort.signal.aborted;
          await stop();
          if (asked) return;
          throw error;
        }
      }
    },
    stop,
  };
};
