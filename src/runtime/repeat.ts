// Does something every so often, until stopped.
import type { Clock, Timer } from '../lib/clock.ts';
import type { Random } from '../lib/random.ts';

/**
 * Calls `run` every `everyMs`, give or take a tenth, so that processes that started together don't act together.
 * The first call comes one interval from now. Returns the function that ends it.
 */
export const repeat = (
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  everyMs: number,
  run: () => void,
): (() => void) => {
  let timer: Timer;
  const arm = (): void => {
    timer = clock.after(everyMs * (0.9 + 0.2 * random.next()), () => {
      arm();
      run();
    });
  };
  arm();
  return () => timer.cancel();
};
