import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../test/kit/database.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { userFault } from '../api/reasons.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { createController } from '../runtime/controller.ts';
import { createChecks, type Question } from './checks.ts';

const kind = 'GitOpsDeploymentManagedEnvironment';
const lane = 'namespace/environment/prod';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());
beforeEach(() => test.sql('delete from probe_result'));

const question = (inputHash: string, uid = 'uid'): Question<string> => ({ uid, inputHash, wish: `wish ${inputHash}` });

/** Checks whose answers a test gives. */
const setUp = () => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const lost = new AbortController();
  const asked: (PromiseWithResolvers<string> & { readonly inputHash: string; readonly signal: AbortSignal })[] = [];
  const woken: string[] = [];
  const checks = createChecks<string, string>({
    kind,
    db: test.database,
    clock,
    check({ inputHash }, signal) {
      const one = { ...Promise.withResolvers<string>(), inputHash, signal };
      signal.addEventListener('abort', () => one.reject(signal.reason));
      asked.push(one);
      return one.promise;
    },
    loop: (reconcile) =>
      createController({
        name: 'check',
        reconcile,
        clock,
        random: seededRandom(1),
        log,
        metrics: createMetrics(),
        concurrency: 4,
        lost: lost.signal,
      }),
    wake: (key) => void woken.push(key),
  });
  checks.controller.start();
  /** The question of this number, counted from 1, once it has arrived. */
  const questionNo = (no: number) => eventually(`${no} questions`, async () => asked[no - 1]);
  const awake = (count: number) => eventually(`woken ${count} times`, async () => woken.length === count);
  const ask = (wished: Question<string>, of = lane): void => checks.ask(of, wished, checks.lastAnswer(of));
  return { checks, ask, clock, lines, lost, asked, questionNo, awake, woken };
};

const results = () =>
  test.sql<{ uid: string; input_hash: string; reason: string; message: string }>(
    'select uid, input_hash, reason, message from probe_result',
  );

describe('a check', () => {
  it('is noted, then wakes its lane, which finds what it has brought until it is forgotten', async () => {
    const { ask, checks, questionNo, awake, woken } = setUp();
    ask(question('one'));
    (await questionNo(1)).resolve('token');
    await awake(1);
    expect(woken).toEqual([lane]);
    expect(await results()).toEqual([{ uid: 'uid', input_hash: 'one', reason: '', message: '' }]);
    expect(checks.foundFor(lane, 'uid')).toBe('token');
    checks.forget(lane);
    expect(checks.foundFor(lane, 'uid')).toBeUndefined();
    await checks.controller.stop();
  });

  it('of an object that has gone, or that asks for something else by now, leaves behind what it has brought', async () => {
    const { ask, checks, questionNo, awake } = setUp();
    const wishes = [
      ['one', 'gone'],
      ['two', 'uid'],
      ['three', 'uid'],
    ] as const;
    for (const [at, [hash, uid]] of wishes.entries()) {
      ask(question(hash, uid));
      (await questionNo(at + 1)).resolve(`token ${hash}`);
      await awake(at + 1);
    }
    const left = (inputHash: string, seen = checks.lastAnswer(lane)) =>
      checks.leftBehind(lane, { uid: 'uid', inputHash }, seen).map(({ uid, found }) => `${uid}: ${found}`);
    expect(checks.foundFor(lane, 'uid')).toBe('token three');
    expect(left('three')).toEqual(['gone: token one', 'uid: token two']);
    expect(left('another')).toEqual(['gone: token one', 'uid: token two', 'uid: token three']);
    expect(left('three', 1), 'of what had been answered then').toEqual(['gone: token one']);
    expect(checks.leftBehind(lane, undefined, Infinity)).toHaveLength(3);
    expect([checks.isBusy('gone'), checks.isBusy('uid'), checks.isBusy('another')]).toEqual([true, true, false]);
    checks.forgetFound(lane, 'token two');
    checks.forgetFound(lane, 'nothing of ours');
    expect(left('three')).toEqual(['gone: token one']);
    checks.forget(lane);
    expect(checks.leftBehind(lane, undefined, Infinity)).toEqual([]);
    expect(checks.isBusy('uid')).toBe(false);
    await checks.controller.stop();
  });

  it('is not asked for by a pass that began before the last answer: it has not seen what that has brought', async () => {
    const { ask, checks, asked, questionNo, awake } = setUp();
    const seen = checks.lastAnswer(lane);
    ask(question('one'));
    (await questionNo(1)).resolve('token');
    await awake(1);
    checks.ask(lane, question('one'), seen);
    ask(question('two'));
    (await questionNo(2)).resolve('token');
    await awake(2);
    expect(asked.map(({ inputHash }) => inputHash)).toEqual(['one', 'two']);
    await checks.controller.stop();
  });

  it('that fails by what the team gave is noted with its reason', async () => {
    const { ask, checks, questionNo, awake } = setUp();
    ask(question('one'));
    (await questionNo(1)).reject(userFault('UnableToCreateClient', 'x'.repeat(5000)));
    await awake(1);
    expect(await results()).toEqual([
      { uid: 'uid', input_hash: 'one', reason: 'UnableToCreateClient', message: 'x'.repeat(4096) },
    ]);
    await checks.controller.stop();
  });

  it('is not made a second time while it is under way', async () => {
    const { ask, checks, clock, asked, questionNo, awake } = setUp();
    ask(question('one'));
    const first = await questionNo(1);
    ask(question('one'));
    first.resolve('token');
    await awake(1);
    await clock.advance(0);
    expect(asked).toHaveLength(1);
    await checks.controller.stop();
  });

  it('is made again when it is asked for after its answer', async () => {
    const { ask, checks, questionNo, awake } = setUp();
    ask(question('one'));
    (await questionNo(1)).resolve('token');
    await awake(1);
    ask(question('one'));
    (await questionNo(2)).resolve('newer token');
    await awake(2);
    expect(checks.foundFor(lane, 'uid')).toBe('newer token');
    await checks.controller.stop();
  });

  it('is made of what has changed meanwhile, after the one that is under way', async () => {
    const { ask, checks, asked, questionNo, awake } = setUp();
    ask(question('one'));
    const first = await questionNo(1);
    ask(question('two'));
    expect(asked).toHaveLength(1);
    first.reject(userFault('UnableToCreateClient', 'no'));
    (await questionNo(2)).resolve('token');
    await awake(2);
    expect(asked.map(({ inputHash }) => inputHash)).toEqual(['one', 'two']);
    expect(await results()).toEqual([{ uid: 'uid', input_hash: 'two', reason: '', message: '' }]);
    await checks.controller.stop();
  });

  it('that fails by a trouble of ours is not noted, and is tried again', async () => {
    const { ask, checks, clock, lines, questionNo, awake, woken } = setUp();
    ask(question('one'));
    (await questionNo(1)).reject(new TypeError('a mistake'));
    await eventually('it is logged', async () => lines.some(({ level }) => level === 'error'));
    expect([await results(), woken]).toEqual([[], []]);
    await eventually('it is tried again', async () => {
      await clock.advance(1000);
      return questionNo(2);
    });
    (await questionNo(2)).resolve('token');
    await awake(1);
    expect(await results()).toHaveLength(1);
    await checks.controller.stop();
  });

  it('ends at once when the right to work is lost, and nothing is noted', async () => {
    const { ask, checks, lost, questionNo, woken } = setUp();
    ask(question('one'));
    const first = await questionNo(1);
    lost.abort();
    expect(first.signal.aborted).toBe(true);
    await checks.controller.stop();
    expect([await results(), woken]).toEqual([[], []]);
  });

  it('of an object that has gone is never taken for the answer about the next one of its name', async () => {
    const { ask, checks, questionNo, awake } = setUp();
    ask(question('one', 'gone'));
    (await questionNo(1)).resolve('token of the one that is gone');
    await awake(1);
    expect(checks.foundFor(lane, 'next')).toBeUndefined();
    await checks.controller.stop();
  });

  it('of one tenant waits for no other tenant, and takes no other answer', async () => {
    const { ask, checks, questionNo, awake } = setUp();
    ask(question('one'));
    ask(question('one', 'other'), 'other-namespace/environment/prod');
    await questionNo(2);
    (await questionNo(2)).resolve('other token');
    await awake(1);
    (await questionNo(1)).resolve('token');
    await awake(2);
    expect([checks.foundFor(lane, 'uid'), checks.foundFor('other-namespace/environment/prod', 'other')]).toEqual([
      'token',
      'other token',
    ]);
    await checks.controller.stop();
  });
});
