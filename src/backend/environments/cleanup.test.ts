import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { capturedLog } from '../../../test/kit/captured-log.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/kit/database.ts';
import { createVirtualClock } from '../../../test/kit/virtual-clock.ts';
import { userFault } from '../../api/reasons.ts';
import { insertCleanup } from '../../db/queries/environment-cleanup.ts';
import { utcText } from '../../lib/clock.ts';
import { createKeyring, plainKeyring } from '../../lib/envelope.ts';
import type { MadeServiceAccount, Removal } from '../remote-cluster.ts';
import { cleanupKey, createCleanup } from './cleanup.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test.drop());
beforeEach(() => test.sql('delete from environment_cleanup'));

const host = 'https://prod.example.com';
const unreachable = userFault('UnableToInstallServiceAccount', 'unable to read ClusterRole: no route to host');

/** The clean-up, with clusters that answer as a test says. */
const setUp = () => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const removed: string[] = [];
  let count = 0;
  const startMs = clock.now();
  const triedAt: number[] = [];
  let answer: (account: MadeServiceAccount) => Removal | Error = () => 'done';
  const create = () =>
    createCleanup({
      db: test.database,
      clock,
      log,
      keyring: plainKeyring,
      isBusy: () => false,
      async remove(account) {
        removed.push(account.token);
        triedAt.push((clock.now() - startMs) / 1000);
        const given = answer(account);
        if (given instanceof Error) throw given;
        return given;
      },
    });
  let reconcile = create();
  const pass = () => reconcile(cleanupKey, { signal: new AbortController().signal, runId: 'run', log });
  const note = (token: string, uid = 'uid') =>
    insertCleanup(test.database, {
      id: `note for ${uid}, ${++count}`,
      environmentId: uid,
      environmentUid: uid,
      host,
      sealedToken: token,
      insecure: false,
      serviceAccount: 'account',
      now: utcText(clock.now()),
      dueAt: utcText(clock.now()),
    });
  /** Passes, each when the one before asked for it, until nothing is noted any more. */
  const untilNothingIsNoted = async (): Promise<void> => {
    while ((await notes()).length > 0) await clock.advance((await pass())?.afterMs ?? 0);
  };
  return {
    restart: () => void (reconcile = create()),
    pass,
    note,
    untilNothingIsNoted,
    removed,
    /** In seconds since the start. */
    triedAt,
    clock,
    said: () => lines.map(({ level, msg, reason }) => [level, msg, reason]),
    clustersAnswer: (how: typeof answer) => void (answer = how),
  };
};

const notes = async () =>
  (await test.sql<{ id: string }>('select cleanup_id as id from environment_cleanup order by 1')).map(({ id }) => id);

describe('the clean-up of other clusters', () => {
  it('forgets all notes of an account that it has removed, and says nothing', async () => {
    const { note, untilNothingIsNoted, removed, said, clock } = setUp();
    await note('first');
    await clock.advance(1000);
    await untilNothingIsNoted();
    await note('second');
    await note('third', 'of another environment');
    await untilNothingIsNoted();
    expect(removed.toSorted()).toEqual(['first', 'second', 'third']);
    expect(said()).toEqual([]);
  });

  it('tries a cluster that can not be reached for a while, then names what was left', async () => {
    const { note, untilNothingIsNoted, triedAt, clustersAnswer, said } = setUp();
    await note('token');
    clustersAnswer(() => unreachable);
    await untilNothingIsNoted();
    expect(triedAt).toEqual([0, 10, 30, 70, 150, 310, 630, 1270]);
    expect(said()).toEqual([['warn', `ServiceAccount account was left on ${host}`, unreachable.message]]);
  });

  it('takes an account for gone whose token is refused three times, and does not claim to know', async () => {
    const { note, untilNothingIsNoted, triedAt, clustersAnswer, said } = setUp();
    await note('token');
    clustersAnswer(() => 'refused');
    await untilNothingIsNoted();
    expect(triedAt).toEqual([0, 10, 20]);
    const reason = 'the cluster does not take its token any more';
    expect(said()).toEqual([['warn', `ServiceAccount account is gone, or was left on ${host}`, reason]]);
  });

  it('does not take it for gone when a cluster that was away refuses it for a moment', async () => {
    const { note, untilNothingIsNoted, triedAt, clustersAnswer, said } = setUp();
    await note('token');
    const answers: (Removal | Error)[] = ['refused', unreachable, 'refused', 'refused', 'done'];
    clustersAnswer(() => answers.shift() ?? 'done');
    await untilNothingIsNoted();
    expect(triedAt).toEqual([0, 10, 30, 40, 50]);
    expect(said()).toEqual([]);
  });

  it('keeps the note of another token of the account when one is refused', async () => {
    const { note, pass, clock, clustersAnswer } = setUp();
    await note('old');
    await note('new');
    clustersAnswer(({ token }) => (token === 'old' ? 'refused' : unreachable));
    for (let count = 0; count < 3; count += 1) {
      await pass();
      await clock.advance(10_000);
    }
    expect(await notes()).toEqual(['note for uid, 2']);
  });

  it('is given up after a while whose refusals nobody counts, as the process is started again each time', async () => {
    const { note, pass, clock, clustersAnswer, restart } = setUp();
    await note('token');
    clustersAnswer(() => 'refused');
    for (let count = 0; count < 8; count += 1) {
      expect(await notes()).toHaveLength(1);
      restart();
      await pass();
      await clock.advance(10_000);
    }
    expect(await notes()).toEqual([]);
  });

  it('never gives up what it can not read: that is no fault of the cluster, and others are served', async () => {
    const sealed = createKeyring([{ id: 'gone', key: Buffer.alloc(32, 1) }]).seal('token');
    const { note, pass, clock, removed, said } = setUp();
    const more = Array.from({ length: 25 }, (_, nth) => `uid ${nth}`); // more than a pass takes
    for (const uid of more) await note(sealed, uid);
    await clock.advance(1000);
    await note('readable');
    const unreadable = { kind: 'internal', reason: 'KeyMissing' };
    await expect(pass()).rejects.toMatchObject(unreadable);
    await expect(pass()).rejects.toMatchObject(unreadable);
    expect(removed).toEqual(['readable']);
    expect(await pass(), 'nothing is due').toEqual({ afterMs: 600_000 });
    for (let count = 0; count < 10; count += 1) {
      await clock.advance(600_000);
      await expect(pass()).rejects.toMatchObject(unreadable);
    }
    expect(await notes()).toHaveLength(more.length);
    expect(said()).toEqual([]);
  });
});
