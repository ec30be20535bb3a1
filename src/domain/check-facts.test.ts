import { describe, expect, it } from 'vitest';
import { judgeCheck, nextCheckLook, type CheckFacts } from './check-facts.ts';

const startMs = Date.UTC(2026, 0, 1);
const check: CheckFacts = { inputHash: 'one', reason: '', message: '', at: '2026-01-01T00:00:00.000000Z' };
const recheckMs = 600_000;
const judge = (afterMs: number, inputHash = 'one', result: CheckFacts | undefined = check) =>
  judgeCheck(result, { inputHash }, { nowMs: startMs + afterMs, recheckMs });

describe('a result', () => {
  it('counts for what was checked, until it is old', () => {
    expect(judge(0)).toEqual({ ask: false, result: check });
    expect(judge(599_999)).toEqual({ ask: false, result: check });
  });

  it('that is old counts on until there is a new one', () => {
    expect(judge(600_000)).toEqual({ ask: true, result: check });
  });

  it('about something else says nothing', () => {
    expect(judge(0, 'other')).toEqual({ ask: true, result: undefined });
    expect(judgeCheck(undefined, { inputHash: 'one' }, { nowMs: startMs, recheckMs })).toEqual({
      ask: true,
      result: undefined,
    });
  });

  it('that is bad counts for a minute only: most often somebody is mending it', () => {
    const bad = { ...check, reason: 'InvalidCredentials', message: 'no' };
    expect(judge(59_999, 'one', bad)).toEqual({ ask: false, result: bad });
    expect(judge(60_000, 'one', bad)).toEqual({ ask: true, result: bad });
  });

  it('about a token counts for half of the life that it had left, so that it is renewed in time', () => {
    const asked = (lifeMs: number, afterMs: number) =>
      judgeCheck(check, { inputHash: 'one', expiresAtMs: startMs + lifeMs }, { nowMs: startMs + afterMs, recheckMs })
        .ask;
    expect(asked(600_000, 299_999)).toBe(false);
    expect(asked(600_000, 300_000)).toBe(true);
    expect(asked(86_400_000, 599_999)).toBe(false);
    expect(asked(1_000, 59_999)).toBe(false); // never without a pause, whatever the cluster gives
  });
});

describe('the next look', () => {
  it('is when the result is old, and never at once', () => {
    expect(nextCheckLook(check, {}, { nowMs: startMs + 4_000, recheckMs: 10_000 })).toBe(6_000);
    expect(nextCheckLook(check, {}, { nowMs: startMs + 60_000, recheckMs: 10_000 })).toBe(1000);
  });

  it('is not needed without a result: that wakes the lane by itself', () => {
    expect(nextCheckLook(undefined, {}, { nowMs: startMs, recheckMs: 10_000 })).toBeUndefined();
  });
});
