// Keeps account of timers, sockets, servers and child processes, so that a test that leaves one open can be told so.
import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { errorMonitor, type EventEmitter } from 'node:events';
import { Server, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** An account that is being kept. */
export interface OpenHandles {
  /** One line for each thing that is open now: what it is and where it was opened. */
  list(): string[];
  /** Stops keeping it. */
  stop(): void;
}

type Note = (handle: object, what: string) => void;

/**
 * Begins to keep account, by standing before the functions that open things.
 *
 * *Assumption*: a timer counts when code of this repository sets it. Libraries set theirs for idle connections, which
 * are seen as sockets.
 */
export const trackOpenHandles = (): OpenHandles => {
  const open = new Map<object, string>();
  const close = (handle: object): void => void open.delete(handle);
  const note: Note = (handle, what) =>
    void open.set(handle, `${what}, ${callers().slice(0, 3).join(' < ') || 'by a library'}`);
  const noteUntil =
    (what: string, ...events: (string | symbol)[]) =>
    (emitter: EventEmitter) => {
      if (open.has(emitter)) return;
      note(emitter, what);
      for (const event of events) emitter.once(event, () => close(emitter));
    };
  const socket = noteUntil('a socket', 'close');
  const noteChild = noteUntil('a child process', 'exit', errorMonitor); // a program that isn't there never exits
  const undo = [
    trackTimers(note, close),
    before(Socket.prototype, 'connect', socket),
    before(Server.prototype, 'listen', noteUntil('a server', 'close')),
    onMessage('net.server.socket', (message) => socket((message as { socket: Socket }).socket)), // as Node documents it
    onMessage(
      'child_process',
      (message) => noteChild((message as { process: ChildProcess }).process), // as Node documents it
    ),
  ];
  return { list: () => [...open.values()], stop: () => undo.forEach((each) => each()) };
};

/** Has `look` see each object that `method` is called on. Returns what undoes it. */
const before = <K extends string, T extends Record<K, (...args: never[]) => unknown>>(
  prototype: T,
  method: K,
  look: (self: T) => void,
): (() => void) => {
  const original = prototype[method];
  const replacement = function (this: T, ...args: never[]): unknown {
    look(this);
    return original.apply(this, args);
  };
  Object.assign(prototype, { [method]: replacement });
  return () => void Object.assign(prototype, { [method]: original });
};

const onMessage = (channel: string, listen: (message: unknown) => void): (() => void) => {
  subscribe(channel, listen);
  return () => void unsubscribe(channel, listen);
};

const trackTimers = (note: Note, close: (handle: object) => void): (() => void) => {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  type Run = (...args: unknown[]) => void;
  const setOnce = (run: Run, afterMs?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = setTimeout(() => {
      close(timer);
      run(...args);
    }, afterMs);
    if (setByUs()) note(timer, 'a timer');
    return timer;
  };
  const setRepeated = (run: Run, everyMs?: number, ...args: unknown[]): NodeJS.Timeout => {
    const timer = setInterval(run, everyMs, ...args);
    if (setByUs()) note(timer, 'an interval');
    return timer;
  };
  const clear = (timer?: NodeJS.Timeout | string | number): void => {
    if (typeof timer === 'object') close(timer);
    clearTimeout(timer);
  };
  // What Node hangs on the function, such as the promise form, stays reachable.
  const like = (original: object, replacement: object): object =>
    Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original));
  Object.assign(globalThis, {
    setTimeout: like(setTimeout, setOnce),
    setInterval: like(setInterval, setRepeated),
    clearTimeout: clear,
    clearInterval: clear,
  });
  return () => void Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
};

const root = fileURLToPath(new URL('../..', import.meta.url));
const thisFile = 'test/kit/open-handles.ts';

/** The stack below this file, nearest first: paths from the repository's root, with the line. */
const stack = (): string[] =>
  (new Error().stack ?? '')
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes(thisFile) && !line.includes('node:'))
    .map((line) => /(?:file:\/\/)?(\/[^():]*:\d+)/.exec(line)?.[1]?.replace(root, '') ?? line.trim());

const isOurs = (place: string | undefined): boolean => place !== undefined && /^(src|test|scripts)\//.test(place);
const setByUs = (): boolean => isOurs(stack()[0]);
const callers = (): string[] => stack().filter(isOurs);
