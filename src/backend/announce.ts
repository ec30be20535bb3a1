// Tells in Events what a team would want to know without looking: what it asked for became ready, or needs somebody.
import { reasons } from '../api/reasons.ts';
import type { KubeObject } from '../kube/object.ts';
import { platformReasons, type ReasonEntry } from '../lib/reasons.ts';
import type { EventRecorder, Happening } from '../runtime/events.ts';
import type { StandardEntry } from './summary.ts';

/** An object with conditions in its status. */
export type Conditioned = KubeObject & {
  readonly status?: { readonly conditions?: readonly StandardEntry[] | undefined };
};

/** Told of each status that was written, with the object as it was before and as it is now. */
export type Announce = (before: Conditioned, now: Conditioned) => void;

/**
 * Creates what records at most one Event for each status written. What passes by itself is not told: the conditions
 * show it while it lasts, and each object goes through it with each change.
 */
export const createAnnounce =
  (events: Pick<EventRecorder, 'record'>): Announce =>
  (before, now) => {
    const happening = happeningOf(before, now);
    if (happening) events.record(happening);
  };

const entries: ReadonlyMap<string, ReasonEntry> = new Map(Object.entries({ ...platformReasons, ...reasons }));

const happeningOf = (before: Conditioned, now: Conditioned): Happening | undefined => {
  const ready = conditionOf(now, 'Ready');
  if (!ready?.reason) return undefined;
  const { status, reason, message = '' } = ready;
  const reconciles = conditionOf(now, 'Reconciling')?.status === 'True';
  const was = conditionOf(before, 'Ready');
  // A retry counts in its message: there the reason alone tells what is new.
  if (was?.reason === reason && (reconciles || was.message === message)) return undefined;
  if (status === 'True') return { object: now, type: 'Normal', reason, message };
  const entry = entries.get(reason);
  const waits = entry?.kind === 'waiting';
  if (waits && entry.turn === undefined) return undefined;
  return { object: now, type: waits && !reconciles ? 'Normal' : 'Warning', reason, message };
};

const conditionOf = ({ status }: Conditioned, type: string): StandardEntry | undefined =>
  status?.conditions?.find((condition) => condition.type === type);
