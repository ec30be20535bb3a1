// When to look again although something stands in the way.
import { waitingFault } from '../api/reasons.ts';
import { Fault, isFault } from '../lib/fault.ts';
import type { Random } from '../lib/random.ts';

/** The fault with the time of the next look, where it has none of its own and is not tried again anyway. */
export const withLook = (fault: Error, afterMs: number | undefined): Error =>
  isFault(fault) && fault.kind !== 'internal' && fault.retryAfterMs === undefined && afterMs !== undefined
    ? new Fault(fault.kind, fault.reason, fault.message, { retryAfterMs: afterMs, cause: fault.cause })
    : fault;

/** An interval that is up to a tenth longer, so that what began together does not stay together. */
export const spread = (intervalMs: number, random: Random): number => Math.round(intervalMs * (1 + random.next() / 10));

/** What was made for an object that is gone has been removed in this pass: who bears the name now is next. */
export const nextInLane = (): Fault =>
  waitingFault('WaitingForDeletion', 'what was made for the previous object of this name is being removed', 1);
