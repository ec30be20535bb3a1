import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { startSandboxApi, type SandboxApi } from '../../test/kit/sandbox-api.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { events, namespaces, type Event, type KubeObject } from '../kube/object.ts';
import type { Gate } from '../lib/gate.ts';
import { seededRandom } from '../lib/random.ts';
import { createEventRecorder, type EventRecorder, type Happening } from './events.ts';

let api: SandboxApi;
beforeEach(async () => {
  api = await startSandboxApi({ namespaces: ['team'] });
});
afterEach(() => api.stop());

const object = (name: string): KubeObject => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name, namespace: 'team', uid: `uid-${name}`, resourceVersion: '7' },
});

const happening = (more: Partial<Happening> = {}): Happening => ({
  object: object('a'),
  type: 'Normal',
  reason: 'Synced',
  message: 'all is well',
  ...more,
});

const setUp = () => {
  const clock = createVirtualClock();
  const { log, lines } = capturedLog();
  const way: { current: 'open' | 'hangs' } = { current: 'open' };
  const gate: Gate = async (_call, run) => {
    if (way.current === 'hangs') await eventually('the way is free', () => way.current === 'open');
    return run();
  };
  const client = api.connect({ clock, gate });
  const recorder = createEventRecorder({ client, component: 'tester', clock, random: seededRandom(1), log });
  const written = async (): Promise<Event[]> => (await api.connect().list(events, { namespace: 'team' })).items;
  const writes = (): number =>
    (api.server.requests()['create events'] ?? 0) + (api.server.requests()['patch events'] ?? 0);
  return { clock, client, recorder, written, writes, lines, way };
};

/** Waits until the events have these counts, in any order: a recorder doesn't tell when it has written. */
const counted = async (read: () => Promise<Event[]>, counts: readonly number[]): Promise<Event[]> => {
  let found: Event[] = [];
  await eventually(`events counted ${counts.join()}`, async () => {
    found = await read();
    const seen = found.map(({ count = 0 }) => count).toSorted((one, other) => one - other);
    return seen.join() === counts.join();
  });
  return found;
};

const repeat = (recorder: EventRecorder, times: number, of: (nth: number) => Happening): void => {
  for (let nth = 0; nth < times; nth += 1) recorder.record(of(nth));
};

describe('an event', () => {
  test('says what happened to which object, as kubectl describe finds and shows it', async () => {
    const { recorder } = setUp();
    recorder.record(happening({ type: 'Warning', message: 'x'.repeat(2_000) }));
    await recorder.stop();
    const fieldSelector = 'involvedObject.uid=uid-a,type=Warning';
    const { items } = await api.connect().list(events, { namespace: 'team', fieldSelector });
    expect(items).toEqual([
      expect.objectContaining({
        involvedObject: { apiVersion: 'example.test/v1', kind: 'Widget', ...object('a').metadata },
        type: 'Warning',
        reason: 'Synced',
        count: 1,
        message: `${'x'.repeat(1_023)}…`,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        source: { component: 'tester' },
        reportingComponent: 'tester',
        reportingInstance: 'tester',
      }),
    ]);
    expect(items[0]?.metadata.name).toMatch(/^a\.[0-9a-f]{16}$/);
  });

  test('that happens again within ten minutes is counted, later it is another', async () => {
    const { recorder, written, clock } = setUp();
    recorder.record(happening());
    await counted(written, [1]);
    await clock.advance(9 * 60_000);
    recorder.record(happening());
    const [event] = await counted(written, [2]);
    expect([event?.firstTimestamp, event?.lastTimestamp]).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:09:00Z']);
    await clock.advance(10 * 60_000);
    recorder.record(happening());
    expect((await counted(written, [1, 2])).length).toBe(2);
    await recorder.stop();
  });

  test('with another reason, message, type or object is another', async () => {
    const { recorder, written } = setUp();
    for (const more of [
      {},
      { reason: 'Other' },
      { message: 'other' },
      { type: 'Warning' },
      { object: object('b') },
    ] as const) {
      recorder.record(happening(more));
    }
    await recorder.stop();
    expect((await written()).map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  test('that was cleaned away meanwhile is created anew', async () => {
    const { recorder, written, client } = setUp();
    recorder.record(happening());
    const [event] = await counted(written, [1]);
    await client.delete(events, { namespace: 'team', name: event?.metadata.name ?? '' });
    recorder.record(happening());
    const [again] = await counted(written, [2]);
    expect(again?.metadata.name).not.toBe(event?.metadata.name);
    await recorder.stop();
  });
});

describe('recording', () => {
  test('a thousand times in a row costs one or two writes', async () => {
    const { recorder, written, writes } = setUp();
    repeat(recorder, 1_000, () => happening());
    await recorder.stop();
    expect((await written())[0]?.count).toBe(1_000);
    expect(writes()).toBeLessThanOrEqual(2);
  });

  test('a flood about one object is cut at 25, and does not touch another object', async () => {
    const { recorder, written, clock } = setUp();
    repeat(recorder, 100, (nth) => happening({ message: `no. ${nth}` }));
    recorder.record(happening({ object: object('b') }));
    await eventually('what is allowed', async () => (await written()).length === 26);
    await clock.advance(5 * 60_000);
    repeat(recorder, 5, (nth) => happening({ message: `later ${nth}` }));
    await recorder.stop();
    expect(await written()).toHaveLength(27);
  });

  test('neither throws nor warns when nothing can be written', async () => {
    const { recorder, lines } = setUp();
    await api.connect().delete(namespaces, { name: 'team' });
    recorder.record(happening());
    await recorder.stop();
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([['debug', 'an event could not be written']]);
  });

  test('ends: what is under way is written, at most for five seconds, and nothing is taken after', async () => {
    const { recorder, clock, way, written } = setUp();
    way.current = 'hangs';
    repeat(recorder, 3, (nth) => happening({ message: `no. ${nth}` }));
    const stopped = recorder.stop();
    await clock.advance(5_000);
    way.current = 'open';
    await stopped;
    recorder.record(happening());
    expect([await written(), clock.pending]).toEqual([[], 0]);
  });
});
