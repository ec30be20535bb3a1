// A gate that keeps answers back: what was read stays read while the test changes what is there.
import type { Gate } from '../../src/lib/gate.ts';
import { eventually } from './eventually.ts';

/** The gate and what a test does with it. It is open at first. */
interface KeptAnswers {
  readonly gate: Gate;
  /** Keeps the next answer back, or all until `open`. */
  close(which?: 'next' | 'all'): void;
  /** Returns when an answer is kept back. */
  untilKept(): Promise<unknown>;
  open(): void;
  /** How many calls of this name have come through. */
  ended(call: string): number;
}

/** Creates the gate for the answers to one statement or request, by its name at the gate. */
export const createKeptAnswers = (name: string): KeptAnswers => {
  const ended = new Map<string, number>();
  let door: PromiseWithResolvers<void> | undefined;
  let most = 0;
  let kept = 0;
  return {
    async gate(call, run) {
      const answer = await run();
      if (call.name === name && door && kept < most) {
        kept += 1;
        await door.promise;
      }
      ended.set(call.name, (ended.get(call.name) ?? 0) + 1);
      return answer;
    },
    close(which = 'all') {
      door = Promise.withResolvers<void>();
      most = which === 'next' ? 1 : Infinity;
      kept = 0;
    },
    untilKept: () => eventually(`an answer to ${name} is kept back`, () => kept > 0),
    open() {
      door?.resolve();
      door = undefined;
    },
    ended: (call) => ended.get(call) ?? 0,
  };
};
