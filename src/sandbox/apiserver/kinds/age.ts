// How long ago something was, in the few characters that `kubectl get` has for it.
import { parseTime } from '../../../lib/clock.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

interface Unit {
  readonly unit: number;
  readonly letter: string;
}

interface Step extends Unit {
  readonly below: number;
  readonly rest?: Unit;
}

/** Below `below`, an age is shown in whole units, and what is left over in smaller ones where that still tells something. */
const steps: readonly Step[] = [
  { below: 2 * minute, unit: second, letter: 's' },
  { below: 10 * minute, unit: minute, letter: 'm', rest: { unit: second, letter: 's' } },
  { below: 3 * hour, unit: minute, letter: 'm' },
  { below: 8 * hour, unit: hour, letter: 'h', rest: { unit: minute, letter: 'm' } },
  { below: 2 * day, unit: hour, letter: 'h' },
  { below: 8 * day, unit: day, letter: 'd', rest: { unit: hour, letter: 'h' } },
  { below: 2 * year, unit: day, letter: 'd' },
  { below: 8 * year, unit: year, letter: 'y', rest: { unit: day, letter: 'd' } },
  { below: Infinity, unit: year, letter: 'y' },
];

/** `45s`, `3m20s`, `17h`, `12d`: the steps are those of k8s.io/apimachinery `duration.HumanDuration`. */
export const shortDuration = (durationMs: number): string => {
  if (durationMs < -second) return '<invalid>';
  const elapsedMs = Math.max(durationMs, 0);
  const step = steps.find(({ below }) => elapsedMs < below);
  if (!step) return '<invalid>';
  const whole = `${Math.floor(elapsedMs / step.unit)}${step.letter}`;
  const rest = step.rest ? Math.floor((elapsedMs % step.unit) / step.rest.unit) : 0;
  return step.rest && rest > 0 ? `${whole}${rest}${step.rest.letter}` : whole;
};

/** The age of an RFC 3339 time; `<unknown>` when there is none. */
export const ageOf = (time: unknown, nowMs: number): string => {
  const sinceMs = typeof time === 'string' ? parseTime(time) : undefined;
  return sinceMs === undefined ? '<unknown>' : shortDuration(nowMs - sinceMs);
};
