// The scenarios, in the order in which all of them are run.
import type { Scenario } from '../scenario.ts';
import { burst, steady } from './creating.ts';

/** Every scenario. */
export const scenarios: readonly Scenario[] = [steady, burst];
