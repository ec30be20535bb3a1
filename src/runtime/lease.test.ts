import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startSandboxApi, type SandboxApi } from '../../test/kit/sandbox-api.ts';
import { createVirtualClock, type VirtualClock } from '../../test/kit/virtual-clock.ts';
import { leases, namespaces, type Lease } from '../kube/object.ts';
import { isNotFound } from '../kube/status-error.ts';
import type { Gate } from '../lib/gate.ts';
import { createMetrics } from '../lib/metrics.ts';
import { seededRandom } from '../lib/random.ts';
import { createLease, type LeaseCandidate } from './lease.ts';

let api: SandboxApi;
const stops: (() => Promise<void>)[] = [];
beforeEach(async () => {
  api = await startSandboxApi({ namespaces: ['system'] });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await api.stop();
});

/** What a candidate's way to the API server is like. */
type Way = 'open' | 'closed' | 'answers are lost' | 'hangs';

interface Player {
  readonly identity: string;
  readonly candidate: LeaseCandidate;
  readonly clock: VirtualClock;
  readonly logged: (level: string) => unknown[];
  readonly metrics: ReturnType<typeof createMetrics>;
  way: Way;
  /** A frozen one's time stands still, as that of a crashed process. */
  frozen: boolean;
  inFlight: number;
}

const ref = { namespace: 'system', name: 'backend' };

/** A candidate with a clock of its own, `skewMs` away from the others'. */
const join = (identity: string, skewMs = 0): Player => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1) + skewMs);
  const { log, lines } = capturedLog();
  const metrics = createMetrics();
  const random = seededRandom(identity.charCodeAt(0));
  const gate: Gate = async (_call, run) => {
    player.inFlight += 1;
    try {
      if (player.way === 'hangs') await eventually('the way is free', () => player.way !== 'hangs');
      if (player.way === 'closed') throw new Error('unreachable');
      const answer = await run();
      if (player.way === 'answers are lost') throw new Error('the answer was lost');
      return answer;
    } finally {
      player.inFlight -= 1;
    }
  };
  const client = api.connect({ clock, random, gate });
  const candidate = createLease({ client, ...ref, identity, clock, random, log, metrics });
  const player: Player = {
    identity,
    candidate,
    clock,
    metrics,
    logged: (level) => lines.filter((line) => line['level'] === level).map((line) => line['msg']),
    way: 'open',
    frozen: false,
    inFlight: 0,
  };
  stops.push(async () => {
    player.way = 'open';
    await candidate.stop();
  });
  return player;
};

/** Until every call has come back, so that what is left are timers. */
const settled = async (players: readonly Player[]): Promise<void> => {
  for (const player of players) {
    const isQuiet = (): boolean => player.way === 'hangs' || player.frozen || player.inFlight === 0;
    await eventually(`${player.identity} is quiet`, isQuiet);
    if (!player.frozen) await player.clock.advance(0);
    await eventually(`${player.identity} is quiet`, isQuiet);
  }
};

const start = async (...players: Player[]): Promise<void> => {
  for (const player of players) player.candidate.start();
  await settled(players);
};

/** Moves the time of all of them on, and calls `look` between any two steps. */
const elapse = async (ms: number, players: readonly Player[], look?: () => void): Promise<void> => {
  const stepMs = 250;
  for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
    for (const { clock, frozen } of players) if (!frozen) await clock.advance(stepMs);
    await settled(players);
    look?.();
  }
};

const holders = (players: readonly Player[]): string[] =>
  players.filter(({ candidate }) => candidate.held).map(({ identity }) => identity);

const lease = (): Promise<Lease> => api.connect().get(leases, ref);

describe('one Lease', () => {
  test('is held by one candidate for as long as it renews it', async () => {
    const [a, b] = [join('a'), join('b')];
    await start(a);
    const term = await a.candidate.whenHeld();
    await start(b);
    await elapse(60_000, [a, b]);
    expect([holders([a, b]), term.aborted]).toEqual([['a'], false]);
    expect((await lease()).spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:01:00.000000Z',
      leaseTransitions: 0,
    });
    expect(await a.metrics.text()).toContain('leader_election_master_status{name="backend"} 1');
    expect(await b.metrics.text()).toContain('leader_election_master_status{name="backend"} 0');
  });

  test('is waited for with one line in the log, however long that takes', async () => {
    const [a, b] = [join('a'), join('b')];
    await start(a);
    await start(b);
    await elapse(60_000, [a, b]);
    expect(b.logged('info')).toEqual(['waiting for the Lease, which a holds']);
  });

  test('goes to exactly one of many who come at once', async () => {
    const players = ['a', 'b', 'c', 'd', 'e'].map((identity) => join(identity));
    await start(...players);
    await elapse(10_000, players, () => expect(holders(players)).toHaveLength(1));
  });

  test('is given back on stop, and taken by the next one within a retry', async () => {
    const [a, b] = [join('a'), join('b')];
    await start(a);
    await start(b);
    const term = await a.candidate.whenHeld();
    await a.candidate.stop();
    expect([term.aborted, term.reason]).toEqual([true, expect.objectContaining({ reason: 'Stopping' })]);
    expect((await lease()).spec.holderIdentity).toBe('');
    await elapse(2_500, [b]);
    expect([holders([b]), (await lease()).spec.leaseTransitions]).toEqual([['b'], 1]);
    await expect(a.candidate.whenHeld()).rejects.toMatchObject({ reason: 'Stopping' });
    expect([a.clock.pending, a.candidate.held]).toEqual([0, false]);
  });

  test.each([0, 86_400_000, -86_400_000])(
    'of a crashed holder is taken after its duration, and not before, by a clock that differs by %i ms',
    async (skewMs) => {
      const [a, b] = [join('a'), join('b', skewMs)];
      await start(a);
      await start(b);
      a.frozen = true;
      await elapse(15_000, [b], () => expect(holders([b])).toEqual([]));
      await elapse(2_500, [b]);
      expect([holders([b]), (await lease()).spec.leaseTransitions]).toEqual([['b'], 1]);
    },
  );

  test('that an operator hands to somebody else is lost with the next renewal', async () => {
    const a = join('a');
    await start(a);
    const term = await a.candidate.whenHeld();
    const taken = await lease();
    await api.connect().update(leases, { ...taken, spec: { ...taken.spec, holderIdentity: 'somebody' } });
    await elapse(2_000, [a]);
    expect([a.candidate.held, term.aborted, term.reason]).toEqual([
      false,
      true,
      expect.objectContaining({ reason: 'LostLease', message: 'the Lease backend is lost: somebody has it' }),
    ]);
    expect(a.logged('warn')).toEqual(['the Lease is lost; what works under it stops']);
  });

  test('that is deleted by hand is lost, and held again in another term', async () => {
    const a = join('a');
    await start(a);
    const term = await a.candidate.whenHeld();
    await api.connect().delete(leases, ref);
    await elapse(4_500, [a]);
    const next = await a.candidate.whenHeld();
    expect([term.aborted, next.aborted, a.candidate.held]).toEqual([true, false, true]);
  });
});

describe('an API server in trouble', () => {
  test.each(['closed', 'hangs'] as const)(
    'ends the term before anybody else may begin one, when the way is %s',
    async (way) => {
      const [a, b] = [join('a'), join('b')];
      await start(a);
      const term = await a.candidate.whenHeld();
      await start(b);
      a.way = way;
      let lostMs = 0;
      let takenMs = 0;
      await elapse(20_000, [a, b], () => {
        if (term.aborted) lostMs ||= a.clock.monotonicMs();
        if (b.candidate.held) takenMs ||= b.clock.monotonicMs();
      });
      expect(lostMs).toBe(10_000);
      expect(takenMs).toBeGreaterThan(15_000);
      expect(a.candidate.held).toBe(false);
    },
  );

  test('that is away for a moment costs nothing: one line, and one when it is back', async () => {
    const a = join('a');
    await start(a);
    const term = await a.candidate.whenHeld();
    a.way = 'closed';
    await elapse(7_000, [a]);
    a.way = 'open';
    await elapse(20_000, [a]);
    expect([term.aborted, a.candidate.held]).toEqual([false, true]);
    expect(a.logged('warn')).toEqual(['the Lease cannot be reached; it is tried again until it works']);
    expect(a.logged('info')).toEqual(['the Lease is held', 'the Lease can be reached again']);
  });

  test('whose answers are lost after it has done its work does not cost the Lease', async () => {
    const a = join('a');
    await start(a);
    const term = await a.candidate.whenHeld();
    a.way = 'answers are lost';
    await elapse(3_000, [a]);
    a.way = 'open';
    await elapse(20_000, [a]);
    expect([term.aborted, a.candidate.held]).toEqual([false, true]);
  });

  test('that does not have the namespace yet is asked again, saying so once', async () => {
    await api.connect().delete(namespaces, { name: 'system' });
    await eventually('the namespace has gone', async () =>
      isNotFound(
        await api
          .connect()
          .get(namespaces, { name: 'system' })
          .catch((error: unknown) => error),
      ),
    );
    const a = join('a');
    await start(a);
    await elapse(10_000, [a]);
    expect(a.logged('warn')).toEqual(['the namespace of the Lease is not there yet; it is asked again']);
    await api.connect().create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'system' } });
    await elapse(2_500, [a]);
    expect(a.candidate.held).toBe(true);
  });
});

test.each([1, 2, 3, 4, 5])('never two hold it at once, whatever fails and whoever freezes (seed %i)', async (seed) => {
  const random = seededRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random.next() * items.length)]!; // never empty here
  const players = [join('a', -3_600_000), join('b'), join('c', 60_000)];
  await start(...players);
  let terms = 0;
  let before: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    for (const player of players) player.way = pick(['open', 'open', 'closed', 'answers are lost'] as const);
    await elapse(pick([1_000, 4_000, 12_000]), players, () => {
      const now = holders(players);
      expect(now.length).toBeLessThanOrEqual(1);
      if (now.length === 1 && now[0] !== before[0]) terms += 1;
      before = now;
    });
  }
  expect(terms).toBeGreaterThan(0);
  for (const player of players) player.way = 'open';
  await elapse(20_000, players);
  expect(holders(players)).toHaveLength(1);
});

test('waiting can be given up, and settings under which two could hold it are refused', async () => {
  const a = join('a');
  const controller = new AbortController();
  const given = expect(a.candidate.whenHeld(controller.signal)).rejects.toThrow('enough');
  controller.abort(new Error('enough'));
  await given;
  const settings = { durationMs: 10_000, renewDeadlineMs: 10_000, retryMs: 2_000 };
  const { clock, metrics } = a;
  const options = { client: api.connect(), ...ref, identity: 'b', clock, metrics, random: seededRandom(1) };
  expect(() => createLease({ ...options, log: capturedLog().log, settings })).toThrow('renew deadline < duration');
});
