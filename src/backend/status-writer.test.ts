import { beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/kit/captured-log.ts';
import { createVirtualClock, type VirtualClock } from '../../test/kit/virtual-clock.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/object.ts';
import { ApiError } from '../kube/status-error.ts';
import type { Conditioned } from './announce.ts';
import { createStatusWriter, type StatusWriter } from './status-writer.ts';

const widgets: ResourceType<Conditioned> = {
  group: 'example.test',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const saying = (reason: string) => ({ conditions: [{ type: 'Ready', status: 'False', reason }] });
const widget = (version: number, reason?: string): Conditioned => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name: 'one', namespace: 'team', uid: 'uid', resourceVersion: String(version) },
  ...(reason === undefined ? {} : { status: saying(reason) }),
});

let clock: VirtualClock;
let writer: StatusWriter<Conditioned>;
/** As the API server has it. */
let present: Conditioned | undefined;
let patches: number;

/** Takes patches of the present version, as an API server does. */
const client = {
  patch: (_resource: unknown, _ref: unknown, { body }: { readonly body: Conditioned }) => {
    patches += 1;
    if (!present) throw new ApiError(404, { reason: 'NotFound' });
    const { resourceVersion } = present.metadata;
    if (body.metadata.resourceVersion !== resourceVersion) throw new ApiError(409, { reason: 'Conflict' });
    present = { ...widget(Number(resourceVersion) + 1), status: body.status ?? {} };
    return Promise.resolve(present);
  },
} as unknown as KubeClient; // the only call of a status writer

beforeEach(() => {
  clock = createVirtualClock();
  const lost = new AbortController().signal;
  writer = createStatusWriter({ client, resource: widgets, clock, log: silentLog, lost });
  present = widget(1, 'Waits');
  patches = 0;
});

const stale = (retryAfterMs: number) => ({ kind: 'waiting', reason: 'StaleCache', retryAfterMs });

describe('a status', () => {
  it('is written where it differs, and the watch that brings it brings nothing new', async () => {
    await writer.write(widget(1, 'Waits'), saying('Done'));
    expect(present).toEqual(widget(2, 'Done'));
    expect([widget(1), widget(2), widget(3)].map(writer.isEcho)).toEqual([false, true, false]);
    await writer.write(widget(2, 'Done'), saying('Done'));
    expect(patches).toBe(1);
  });

  it('is not compared with what was there before our last write, and the watch then wakes who came too early', async () => {
    await writer.write(widget(1, 'Waits'), saying('Done'));
    await expect(writer.write(widget(1, 'Waits'), saying('Waits'))).rejects.toMatchObject(stale(200));
    await expect(writer.write(widget(1, 'Waits'), saying('Waits'))).rejects.toMatchObject(stale(400));
    expect(writer.isEcho(widget(2))).toBe(false);
    await writer.write(widget(2, 'Done'), saying('Waits'));
    expect(present).toEqual(widget(3, 'Waits'));
    expect(writer.isEcho(widget(3))).toBe(true);
  });

  it('that is none is not compared either: there may be one by now', async () => {
    present = widget(1);
    await writer.write(widget(1), { conditions: [] });
    expect(patches).toBe(0);
    await writer.write(widget(1), saying('Fails'));
    await expect(writer.write(widget(1), { conditions: [] })).rejects.toMatchObject(stale(200));
  });

  it('of a version that comes again later is written: etcd may have been restored', async () => {
    await writer.write(widget(1, 'Waits'), saying('Done'));
    await clock.advance(60_000);
    present = widget(1, 'Waits');
    expect(writer.isEcho(widget(2))).toBe(false);
    await writer.write(widget(1, 'Waits'), saying('Done'));
    expect(patches).toBe(2);
  });

  it("of an object that is gone is nobody's any more", async () => {
    await writer.write(widget(1, 'Waits'), saying('Done'));
    writer.forget('uid');
    expect(writer.isEcho(widget(2))).toBe(false);
    present = undefined;
    await writer.write(widget(2, 'Done'), saying('Waits'));
    expect(patches).toBe(2);
  });
});
