// What counts as proof that a deployment is gone.
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../lib/metrics.ts';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createAbsences } from './absences.ts';

const SECOND_LOOK_MS = 10_000;

const setUp = (maxUnseenDeletions = 50) => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const metrics = createMetrics();
  const absences = createAbsences(
    { clock, log, metrics },
    { secondLookMs: SECOND_LOOK_MS, maxUnseenDeletions, kind: 'GitOpsDeployment' },
  );
  const errors = () => lines.filter(({ level }) => level === 'error').map(({ msg }) => String(msg));
  return { absences, clock, errors, metrics };
};

describe('a deployment that is missing', () => {
  it('is gone at once when its deletion was seen', () => {
    const { absences } = setUp();
    absences.sawDeletion('one');
    expect(absences.isGone('one')).toBe(true);
    expect(absences.isGone('another')).toBe(false);
  });

  it('is gone at the second look, and not before the time between two looks has passed', async () => {
    const { absences, clock } = setUp();
    expect(absences.isGone('one')).toBe(false);
    await clock.advance(SECOND_LOOK_MS - 1);
    expect(absences.isGone('one')).toBe(false);
    await clock.advance(1);
    expect(absences.isGone('one')).toBe(true);
  });

  it('needs two looks again once it was seen alive, whatever was seen before', async () => {
    const { absences, clock } = setUp();
    absences.isGone('one');
    absences.sawDeletion('one');
    absences.sawPresence('one');
    await clock.advance(SECOND_LOOK_MS);
    expect(absences.isGone('one')).toBe(false);
  });

  it('is forgotten once its rows are removed', () => {
    const { absences } = setUp();
    absences.sawDeletion('one');
    absences.forget('one');
    expect(absences.isGone('one')).toBe(false);
  });
});

describe('many deployments that are missing without their deletion having been seen', () => {
  it('are held, which is said once, with what to do about it', async () => {
    const { absences, clock, errors } = setUp(2);
    const uids = ['one', 'two', 'three'];
    for (const uid of uids) absences.isGone(uid);
    await clock.advance(SECOND_LOOK_MS);
    expect(uids.map((uid) => absences.isGone(uid))).toEqual([false, false, false]);
    expect(errors()).toEqual([
      expect.stringMatching(/^3 GitOpsDeployments are missing .* higher --max-unseen-deletions$/),
    ]);
  });

  it('are counted where an operator can see it', async () => {
    const { absences, metrics } = setUp(2);
    for (const uid of ['one', 'two', 'three']) absences.isGone(uid);
    expect(await metrics.text()).toMatch(/^managed_gitops_unseen_deletions\{kind="GitOpsDeployment"\} 3$/m);
  });

  it('are removed once so many are seen again that the rest are few, and the next time it is said again', async () => {
    const { absences, clock, errors } = setUp(2);
    for (const uid of ['one', 'two', 'three']) absences.isGone(uid);
    await clock.advance(SECOND_LOOK_MS);
    absences.sawPresence('three');
    expect(absences.isGone('one')).toBe(true);
    absences.isGone('three');
    expect(errors()).toHaveLength(2);
  });

  it('do not hold up one whose deletion was seen', () => {
    const { absences } = setUp(0);
    for (const uid of ['one', 'two']) absences.isGone(uid);
    absences.sawDeletion('three');
    expect(absences.isGone('three')).toBe(true);
  });
});

describe('the count of those that are missing', () => {
  it('goes down when they are found, or their rows are removed', async () => {
    const { absences, metrics } = setUp();
    const count = async () => /^managed_gitops_unseen_deletions\{.*\} (\d+)$/m.exec(await metrics.text())?.[1];
    for (const uid of ['one', 'two', 'three']) absences.isGone(uid);
    expect(await count()).toBe('3');
    absences.sawPresence('one');
    expect(await count()).toBe('2');
    absences.forget('two');
    absences.forget('three');
    expect(await count()).toBe('0');
  });
});
