import { describe, expect, test } from 'vitest';
import { setCondition, type Condition } from './conditions.ts';

const before = '2026-01-01T00:00:00Z';
const now = '2026-01-02T00:00:00Z';

interface Full extends Condition {
  readonly observedGeneration?: number;
}

const ready: Full = { type: 'Ready', status: 'True', reason: 'Synced', message: 'all is well', observedGeneration: 1 };
const present = { ...ready, lastTransitionTime: before };
const other: Full = { type: 'Stalled', status: 'False', reason: 'None', message: '', lastTransitionTime: before };

describe('a condition', () => {
  test('that is new comes last, with the present time', () => {
    expect(setCondition<Full>([other], ready, { nowText: now })).toEqual([
      other,
      { ...ready, lastTransitionTime: now },
    ]);
  });

  test('that says the same leaves the very list, also when it was looked at again', () => {
    const list = [present, other];
    expect(setCondition<Full>(list, { ...ready }, { nowText: now })).toBe(list);
    expect(setCondition<Full>(list, { ...ready, lastProbeTime: now }, { nowText: now })).toBe(list);
  });

  test('keeps its place, and the others as they are', () => {
    const [first, second] = setCondition<Full>([present, other], { ...ready, status: 'False' }, { nowText: now });
    expect([first, second]).toEqual([{ ...ready, status: 'False', lastTransitionTime: now }, other]);
    expect(second).toBe(other);
  });

  test('transitions when its status changes, not when reason, message or generation do', () => {
    const change = (next: Full) => setCondition<Full>([present], next, { nowText: now })[0]?.lastTransitionTime;
    expect(change({ ...ready, status: 'Unknown' })).toBe(now);
    expect(change({ ...ready, reason: 'Other' })).toBe(before);
    expect(change({ ...ready, message: 'other' })).toBe(before);
    expect(change({ ...ready, observedGeneration: 2 })).toBe(before);
  });

  test('of an older kind transitions with reason and message too', () => {
    const change = (next: Full) =>
      setCondition<Full>([present], next, { nowText: now, transition: 'content' })[0]?.lastTransitionTime;
    expect(change({ ...ready, reason: 'Other' })).toBe(now);
    expect(change({ ...ready, message: 'other' })).toBe(now);
    expect(change({ ...ready, observedGeneration: 2 })).toBe(before);
  });

  test('loses a field that it does not have any more, and takes the probe time with a change', () => {
    const { observedGeneration: _, ...bare } = ready;
    const [changed] = setCondition<Full>([present], { ...bare, lastProbeTime: now }, { nowText: now });
    expect(changed).toEqual({ ...bare, lastProbeTime: now, lastTransitionTime: before });
  });
});
