// Ordered start, reverse stop: the parts of a process, each of which waits for the one before.
import { endsWithin } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';

/** Something that starts and stops. */
export interface Part {
  readonly name: string;
  /** Returns once the next part may start; ends early, however it likes, when the signal aborts. */
  start(signal: AbortSignal): Promise<void> | void;
  /** Called after `start` has ended, also when it failed: what it left behind has to go too. */
  stop?(): Promise<void> | void;
}

/** A process made of parts. */
export interface Process {
  /**
   * Starts the parts in order. Returns when all have started, or when it was stopped.
   * @throws what a part's start throws, after stopping the parts that had started.
   */
  start(): Promise<void>;
  /**
   * Stops in reverse order, also in the middle of a start, whose signal then aborts. A part that takes longer than the
   * deadline is left behind and named in the log. Never fails.
   */
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
  let starting: Promise<void> = Promise.resolve();
  let stopping: Promise<void> | undefined;

  const waitFor = async (what: string, run: () => Promise<void> | void): Promise<void> => {
    if (await endsWithin({ clock, deadlineMs: stopMs }, run)) return;
    log.warn(`${what} does not end in time; it is left behind`, { afterMs: stopMs });
  };
  const stopPart = async (part: Part): Promise<void> => {
    try {
      await waitFor(`the stop of ${part.name}`, () => part.stop?.());
    } catch (error) {
      log.warn(`${part.name} did not stop cleanly: ${messageOf(error)}`, { err: error });
    }
  };
  const stopAll = async (): Promise<void> => {
    abort.abort();
    const last = started.at(-1);
    if (last) await waitFor(`the start of ${last.name}`, () => starting.catch(() => undefined)); // `start` throws it
    for (let part = started.pop(); part; part = started.pop()) await stopPart(part);
  };
  const stop = (): Promise<void> => (stopping ??= stopAll());
  const startPart = async (part: Part): Promise<void> => part.start(abort.signal);

  return {
    async start() {
      for (const part of parts) {
        if (abort.signal.aborted) return;
        started.push(part);
        starting = startPart(part);
        try {
          await starting;
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
