// Tells what happened to an object where `kubectl describe` shows it, without ever being in the way.
import { rfc3339, type Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { KubeClient } from '../kube/client.ts';
import { events, type Event, type KubeObject } from '../kube/object.ts';
import { isNotFound } from '../kube/status-error.ts';
import { createAllowance } from './allowance.ts';

/** Something that happened to an object. The message is read by its owner, so it never holds a secret. */
export interface Happening {
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase, from a small fixed set. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes Events.
 *
 * *Guarantees*: `record` neither throws nor waits. The same happening within ten minutes is one Event with a higher
 * count. One object gets 25 writes at once and then one every five minutes, so that a loop can't flood the API server.
 * *Caveat*: best effort. What can't be written is dropped, with a line in the debug log.
 */
export interface EventRecorder {
  record(happening: Happening): void;
  /** Takes no more, and waits at most five seconds for what is being written. */
  stop(): Promise<void>;
}

/** What a recorder is made of. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  /** Who reports, as `kubectl describe` shows it. */
  readonly component: string;
  /** Which process of it; the component unless given. */
  readonly instance?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const SAME_WITHIN_MS = 10 * 60_000;
const BURST = 25;
const REFILL_MS = 5 * 60_000;
/** Happenings remembered for counting, and those waiting to be written. */
const MAX_KNOWN = 4_096;
const MAX_WAITING = 1_000;
const FLUSH_MS = 5_000;
/** `message` may have this many characters. */
const MAX_MESSAGE = 1_024;

/** One happening, as often as it happened. */
interface Series {
  readonly happening: Happening;
  readonly firstMs: number;
  lastMs: number;
  count: number;
  /** Its Event's name, once that was created. */
  name?: string;
}

/** Creates a recorder. It has no timers; it works while there is something to write. */
export const createEventRecorder = (options: EventRecorderOptions): EventRecorder => {
  const { client, clock, log } = options;
  const known = new Map<string, Series>();
  const waiting = new Set<Series>();
  const allowance = createAllowance({ clock, burst: BURST, refillMs: REFILL_MS, maxKeys: MAX_KNOWN });
  const giveUp = new AbortController();
  let stopped = false;
  let writing: Promise<void> | undefined;

  const count = (happening: Happening): Series => {
    const key = keyOf(happening);
    const nowMs = clock.now();
    const present = known.get(key);
    known.delete(key); // and in again at the end: the first of the map is the one not seen for longest
    const series =
      present && nowMs - present.lastMs < SAME_WITHIN_MS
        ? present
        : { happening, firstMs: nowMs, lastMs: nowMs, count: 0 };
    series.count += 1;
    series.lastMs = nowMs;
    known.set(key, series);
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value ?? '');
    return series;
  };
  const write = async (series: Series): Promise<void> => {
    if (series.name !== undefined && (await patchCount(client, series, giveUp.signal))) return;
    const event = eventOf(series, options);
    await client.create(events, event, { signal: giveUp.signal });
    series.name = event.metadata.name;
  };
  const drain = async (): Promise<void> => {
    for (const series of waiting) {
      waiting.delete(series); // what happens again while it is written waits again
      try {
        await write(series);
      } catch (err) {
        log.debug('an event could not be written', { reason: series.happening.reason, err });
      }
    }
    writing = undefined;
  };
  const dropped = ({ happening }: Series, reason: string): void =>
    log.debug('an event is not written', { name: happening.object.metadata.name, reason });
  return {
    record(happening) {
      if (stopped) return;
      const series = count(happening);
      if (waiting.has(series)) return;
      if (waiting.size >= MAX_WAITING) return dropped(series, 'too many are waiting');
      if (!allowance.take(objectOf(happening))) return dropped(series, 'the object had too many');
      waiting.add(series);
      writing ??= drain();
    },
    async stop() {
      stopped = true;
      const timer = clock.after(FLUSH_MS, () => {
        waiting.clear();
        giveUp.abort();
      });
      await writing;
      timer.cancel();
    },
  };
};

const objectOf = ({ object: { kind, metadata } }: Happening): string =>
  metadata.uid ?? `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;

const keyOf = (happening: Happening): string =>
  JSON.stringify([objectOf(happening), happening.type, happening.reason, happening.message]);

const namespaceOf = ({ object }: Happening): string => object.metadata.namespace ?? 'default';

/** Raises the count of the series' Event; false when that has gone, as Events do after an hour. */
const patchCount = async (client: KubeClient, series: Series, signal: AbortSignal): Promise<boolean> => {
  const { happening, name = '', count, lastMs } = series;
  const body = { count, lastTimestamp: rfc3339(lastMs) };
  try {
    await client.patch(events, { namespace: namespaceOf(happening), name }, { type: 'merge', body, signal });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
};

const eventOf = (series: Series, { component, instance, random }: EventRecorderOptions): Event => {
  const { happening, count, firstMs, lastMs } = series;
  const { apiVersion, kind, metadata } = happening.object;
  const { namespace, name, uid, resourceVersion } = metadata;
  const namespaceName = namespaceOf(happening);
  const stem = name.slice(0, 230).replace(/[^a-z0-9]+$/, '');
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace: namespaceName, name: `${stem}.${random.uuid().replaceAll('-', '').slice(0, 16)}` },
    involvedObject: {
      apiVersion,
      kind,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    type: happening.type,
    reason: happening.reason,
    message: shortened(happening.message),
    count,
    firstTimestamp: rfc3339(firstMs),
    lastTimestamp: rfc3339(lastMs),
    source: { component },
    reportingComponent: component,
    reportingInstance: instance ?? component,
  };
};

const shortened = (message: string): string =>
  message.length <= MAX_MESSAGE ? message : `${message.slice(0, MAX_MESSAGE - 1)}…`;
