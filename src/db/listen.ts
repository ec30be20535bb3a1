// Hears what the database notifies, on a session of its own that comes back whenever it is lost.
import { backoffMs } from '../lib/backoff.ts';
import { sleep, type Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/fault.ts';
import type { Random } from '../lib/random.ts';
import { openSession, type DatabaseOptions, type Session } from './pool.ts';
import { statement } from './statement.ts';
import { connectBackoff } from './wait.ts';

/**
 * The channels that the schema's triggers speak on. The payload is the primary key of the row to look at; that of
 * `operation_event` is an `OperationEvent`.
 */
export type Channel = 'operation' | 'operation_event' | 'application_state' | 'refresh';

/** How a listener listens. */
export interface ListenerOptions extends DatabaseOptions {
  readonly random: Random;
  readonly channels: readonly Channel[];
  /** Told of the rows that were written, each once however often it was. What it throws is logged. */
  readonly onNotify: (channel: Channel, payloads: readonly string[]) => void;
  /** Told each time that listening begins: what was notified before is lost, so it is time for a look at everything. */
  readonly onConnect: () => void;
  readonly settings?: Partial<ListenerSettings>;
}

/** In milliseconds. */
export interface ListenerSettings {
  /** How long notifications are gathered before they are told. */
  readonly coalesceMs: number;
  /** How often a silent session is asked whether it is still there. */
  readonly keepAliveMs: number;
  /** How long it has for the answer. */
  readonly answerMs: number;
}

/** Listens, from `start` to `stop`. */
export interface Listener {
  /** True while notifications are heard; while false, polling is all there is. */
  readonly connected: boolean;
  start(): void;
  /** Waits for the session to be closed; nothing is told afterwards. */
  stop(): Promise<void>;
}

const defaults: ListenerSettings = { coalesceMs: 5, keepAliveMs: 15_000, answerMs: 5_000 };

const stillThere = statement('listener-still-there', 'select 1');

/**
 * Creates a listener.
 *
 * *Guarantee*: a notification committed after `onConnect` was called and before the session is lost is told.
 * *Caveat*: one committed while there is no session is not; `onConnect` is the moment to look at the tables instead.
 */
export const createListener = (options: ListenerOptions): Listener => {
  const { clock, random, metrics } = options;
  const settings = { ...defaults, ...options.settings };
  const log = options.log.with({ component: 'listener' });
  const stopping = new AbortController();
  const gathered = createGathering(options, settings.coalesceMs);
  const connections = metrics.gauge({ name: 'sql_listener_connected', help: '1 while notifications are heard.' });
  let connected = false;
  let running: Promise<void> | undefined;

  const setConnected = (now: boolean): void => {
    connected = now;
    connections.set(now ? 1 : 0);
  };

  const listenOnce = async (heard: () => void): Promise<void> => {
    const session = await openSession({
      ...options,
      to: 'listen',
      settings: { statementMs: settings.answerMs, graceMs: 0 },
      onNotification: (channel, payload) => gathered.add(channel, payload),
    });
    try {
      await session.script('listen', options.channels.map((channel) => `listen ${channel}`).join(';'));
      heard();
      setConnected(true);
      options.onConnect();
      await untilLost(session);
    } finally {
      setConnected(false);
      await session.close();
    }
  };

  /** Returns when told to stop. @throws when the session does not answer. */
  const untilLost = async (session: Session): Promise<void> => {
    const lost = new AbortController();
    void session.ended.then(() => lost.abort());
    const either = AbortSignal.any([stopping.signal, lost.signal]);
    while (!either.aborted) {
      await sleep(clock, settings.keepAliveMs, either).catch(() => undefined); // the loop sees which it was
      if (!stopping.signal.aborted) await session.query(stillThere);
    }
  };

  const listen = async (): Promise<void> => {
    let failures = 0;
    while (!stopping.signal.aborted) {
      try {
        await listenOnce(() => {
          if (failures > 0) log.info('listening to the database', { attempt: failures + 1 });
          failures = 0;
        });
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn('not listening to the database: polling only', { reason: messageOf(error) });
        const pauseMs = backoffMs(connectBackoff, failures, random);
        await sleep(clock, pauseMs, stopping.signal).catch(() => undefined); // told to stop: the loop sees it
      }
    }
  };

  return {
    get connected() {
      return connected;
    },
    start: () => void (running ??= listen()),
    async stop() {
      stopping.abort();
      await running;
      await gathered.stop();
    },
  };
};

/** Gathers notifications for a moment and tells them channel by channel. */
const createGathering = (options: ListenerOptions, coalesceMs: number) => {
  const { clock, gate, log, metrics, onNotify } = options;
  const waiting = new Map<Channel, Set<string>>();
  const heard = metrics.counter({
    name: 'sql_notifications_total',
    help: 'Notifications heard, before those of one row are told as one.',
    labels: ['channel'],
  });
  let timer: Timer | undefined;
  let telling: Promise<unknown> = Promise.resolve();
  let stopped = false;

  const tell = async (channel: Channel, payloads: readonly string[]): Promise<void> => {
    try {
      await gate({ to: 'listen', name: `notify ${channel}` }, async () => {
        if (!stopped) onNotify(channel, payloads);
      });
    } catch (error) {
      log.error('a notification was not taken', { err: error });
    }
  };
  const flush = (): void => {
    timer = undefined;
    const batch = [...waiting];
    waiting.clear();
    telling = Promise.all([telling, ...batch.map(([channel, payloads]) => tell(channel, [...payloads]))]);
  };
  return {
    add(name: string, payload: string): void {
      const channel = options.channels.find((one) => one === name);
      if (channel === undefined || stopped) return;
      heard.add({ channel });
      const payloads = waiting.get(channel) ?? new Set<string>();
      waiting.set(channel, payloads.add(payload));
      timer ??= clock.after(coalesceMs, flush);
    },
    async stop(): Promise<void> {
      stopped = true;
      timer?.cancel();
      await telling;
    },
  };
};
