// A watch as it arrives: each line is a step, and may be doubled, swapped with another object's, lost, or the last one.
import { sleep, type Clock } from '../../src/lib/clock.ts';
import type { Gate } from '../../src/lib/gate.ts';
import { ConnectionError, type TransportStream } from '../../src/kube/transport.ts';
import type { Stream } from '../../src/sandbox/apiserver/objects/watching.ts';
import type { Faults } from './faults-plan.ts';

/** What one watch runs on. */
export interface WatchOptions {
  readonly resource: string;
  readonly gate: Gate;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly signal: AbortSignal;
  /** Lines were lost: from now on the server has to say that the place of this client is too old. */
  readonly lost: () => void;
  /** What the bug, if there is one, makes of a line. */
  readonly falsify: (line: string) => string;
}

/** The longest until a client whose lines were lost is told so. */
const TOLD_WITHIN_MS = 30_000;

const expired = `${JSON.stringify({
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', code: 410, message: 'too old' },
})}\n`;

/** Opens a stream, through faults. Every line waits for its step at the gate. */
export const openFaultyWatch = (stream: Stream, options: WatchOptions): TransportStream => {
  const { gate, clock, faults, signal } = options;
  const pipe = createPipe(signal);
  const lines: string[] = [];
  let said: readonly string[] = [];
  let isOver = false;
  let wake = Promise.withResolvers<void>();

  const stop = stream({
    write(line) {
      lines.push(options.falsify(line));
      wake.resolve();
      return true;
    },
    end() {
      isOver = true;
      wake.resolve();
    },
  });
  const say = (...some: readonly string[]): void => {
    for (const line of some) pipe.push(line);
    said = [...said, ...some].slice(-3);
  };
  const tellExpired = (): void => {
    pipe.push(expired);
    pipe.end();
  };
  const lose = (): void => {
    lines.shift();
    options.lost();
    clock.after(faults.withinMs(TOLD_WITHIN_MS), tellExpired);
  };
  const deliver = (): void => {
    const [first, second] = lines;
    if (first === undefined) return pipe.end();
    const fault = faults.watch();
    if (fault === 'cut') return pipe.end(new ConnectionError(true, new Error('the connection was cut')));
    if (fault === 'end') return pipe.end();
    if (fault === 'gone') return tellExpired();
    if (fault === 'drop' && !isBookmark(first)) return lose();
    if (fault === 'all') return say(...lines.splice(0));
    lines.shift();
    if (fault === 'swap' && second !== undefined && mayPass(first, second)) say(lines.shift() ?? second);
    say(first);
    if (fault === 'double') say(first);
    if (fault === 'again') say(...said);
  };
  const pump = async (): Promise<void> => {
    while (!pipe.closed) {
      if (lines.length === 0 && !isOver) await wake.promise;
      wake = Promise.withResolvers<void>();
      const lagMs = faults.lagMs();
      if (lagMs > 0) await sleep(clock, lagMs, signal);
      await gate({ to: 'api', name: `EVENT ${options.resource}` }, async () => deliver());
    }
  };
  void pump()
    .catch(() => undefined) // the client went away while the line was on its way
    .finally(stop);
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  return { chunks: pipe.chunks };
};

const isBookmark = (line: string): boolean => line.startsWith('{"type":"BOOKMARK"');

/** Kubernetes keeps the order of one object's events; those of others may come in any. */
const mayPass = (first: string, second: string): boolean =>
  !isBookmark(first) && !isBookmark(second) && nameIn(first) !== nameIn(second);

const nameIn = (line: string): string => {
  const { object } = JSON.parse(line) as { object: { metadata: { namespace?: string; name: string } } }; // a line of a watch
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
};

/** Bytes from one side to the other, in the order pushed. */
const createPipe = (signal: AbortSignal) => {
  const waiting: Buffer[] = [];
  let ended: { readonly error: Error | undefined } | undefined;
  let wake = Promise.withResolvers<void>();
  const end = (error?: Error): void => {
    ended ??= { error };
    wake.resolve();
  };
  const onAbort = (): void => end(new ConnectionError(true, signal.reason));
  signal.addEventListener('abort', onAbort, { once: true });
  async function* chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = waiting.shift();
      if (next) yield next;
      else if (ended?.error) throw ended.error;
      else if (ended) return;
      else {
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    }
  }
  return {
    chunks: chunks(),
    get closed() {
      return ended !== undefined;
    },
    end,
    push(line: string): void {
      if (ended) return;
      waiting.push(Buffer.from(line));
      wake.resolve();
    },
  };
};
