// What the bench's own clients and watchers are made with.
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createLogger } from '../../src/lib/log.ts';
import { systemRandom } from '../../src/lib/random.ts';

/** The machine's clock and chance, and a log that says nothing: what goes wrong is thrown. */
export const platform = {
  clock: systemClock,
  random: systemRandom,
  gate: openGate,
  log: createLogger({ level: 'silent' }),
} as const;
