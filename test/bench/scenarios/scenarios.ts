// The scenarios, in the order in which all of them are run.
import type { Scenario } from '../scenario.ts';
import { idle, removal, status, update } from './changing.ts';
import { burst, steady } from './creating.ts';
import { noisy, stuck } from './crowded.ts';
import { scale } from './scale.ts';

/** Every scenario. Those that change or delete take the deployments that the one before has created. */
export const scenarios: readonly Scenario[] = [steady, burst, idle, status, update, noisy, stuck, removal, scale];
