import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/object.ts';
import { kitchenTime, mergeConditions } from './conditions.ts';
import { durationMs, mayRetry, objectOf, planWaves, retryDelayMs, type Pair } from './sync-plan.ts';

const object = (kind: string, name: string, wave?: string): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, ...(wave ? { annotations: { 'argocd.argoproj.io/sync-wave': wave } } : {}) },
});
const wanted = (...given: Parameters<typeof object>): Pair => ({ desired: object(...given), synced: false });
const extra = (...given: Parameters<typeof object>): Pair => ({ live: object(...given), synced: false });
const names = (waves: readonly (readonly Pair[])[]): string[][] =>
  waves.map((wave) => wave.map((pair) => objectOf(pair).metadata.name));

describe('the order of a sync', () => {
  test('is waves, then pruning, then kinds by need, then names', () => {
    const pairs = [
      wanted('Deployment', 'web'),
      wanted('Thing', 'unknown'),
      wanted('ConfigMap', 'b'),
      wanted('ConfigMap', 'a'),
      wanted('Namespace', 'home'),
      wanted('Job', 'first', '-1'),
      wanted('ConfigMap', 'last', '5'),
      extra('Service', 'old'),
    ];
    expect(names(planWaves({}, pairs))).toEqual([['first'], ['old', 'home', 'a', 'b', 'web', 'unknown'], ['last']]);
  });
  test('leaves out what a selective sync does not name', () => {
    const order = {
      resources: [
        { kind: 'ConfigMap', name: 'a' },
        { kind: 'ConfigMap', name: 'b', group: 'apps' },
      ],
    };
    expect(names(planWaves(order, [wanted('ConfigMap', 'a'), wanted('ConfigMap', 'b')]))).toEqual([['a']]);
  });
});

describe('retries', () => {
  test.each([
    ['5s', 5000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['2', 2000],
    ['soon', undefined],
  ])('%s is %s ms', (text, expected) => expect(durationMs(text)).toBe(expected));

  test('wait twice as long each time, up to three minutes', () => {
    expect([0, 1, 2, 20].map((count) => retryDelayMs({}, count))).toEqual([5000, 10_000, 20_000, 180_000]);
    expect(retryDelayMs({ backoff: { duration: '1s', factor: 3, maxDuration: '5s' } }, 2)).toBe(5000);
  });
  test('end at the limit, and never below zero', () => {
    expect([0, 1].map((count) => mayRetry({ retry: { limit: 1 } }, count))).toEqual([true, false]);
    expect(mayRetry({ retry: { limit: -1 } }, 1000)).toBe(true);
    expect(mayRetry({}, 0)).toBe(false);
  });
});

describe('conditions', () => {
  const now = '2026-01-01T15:04:05Z';
  const old = { type: 'SyncError', message: 'x', lastTransitionTime: '2025-01-01T00:00:00Z' };
  test('that say the same keep their time; others evaluated go, and those not evaluated stay', () => {
    const other = { ...old, type: 'DeletionError' };
    const how = { evaluated: ['SyncError', 'ComparisonError'], now };
    expect(mergeConditions([old, other], [{ type: 'SyncError', message: 'x' }], how)).toEqual([other, old]);
    expect(mergeConditions([old, other], [{ type: 'SyncError', message: 'y' }], how)).toEqual([
      other,
      { type: 'SyncError', message: 'y', lastTransitionTime: now },
    ]);
    expect(mergeConditions([old], [], how)).toEqual([]);
  });
  test('tell the time as a kitchen clock does', () => {
    const times = ['2026-01-01T00:05:00Z', '2026-01-01T12:00:00Z', now].map(kitchenTime);
    expect(times).toEqual(['12:05AM', '12:00PM', '3:04PM']);
  });
});
