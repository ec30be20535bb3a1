// A program of the bench in a process of its own, which says things one after the other.
import { fork, type ChildProcess, type StdioOptions } from 'node:child_process';

/** A program that runs. Disposing of it closes its channel, which it ends with, and waits. */
export interface Child<Message> extends AsyncDisposable {
  readonly pid: number | undefined;
  /** Sends something, if given, and waits for what it says next. @throws when it has ended by itself. */
  next(order?: object | string): Promise<Message>;
}

/** What a program is started with. */
export interface ChildOptions {
  readonly program: URL;
  readonly stdio?: StdioOptions;
  /** What is thrown when it ends without having been asked. */
  readonly early: string;
  /** Told so too. */
  readonly onEnd?: (error: Error) => void;
}

/** Starts a program that says only messages of this type. */
export const startChild = <Message>({ program, stdio, early, onEnd }: ChildOptions): Child<Message> => {
  const child = fork(program, {
    ...(stdio && { stdio }),
    detached: true, // a Ctrl-C of the terminal is for the bench alone
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const endedEarly = ended.then(() => {
    throw new Error(early);
  });
  endedEarly.catch((error: Error) => onEnd?.(error)); // whoever waits hears of it as well
  return {
    pid: child.pid,
    next(order) {
      const message = nextMessage<Message>(child);
      if (order !== undefined) child.send(order);
      return Promise.race([message, endedEarly]);
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

const nextMessage = <Message>(child: ChildProcess): Promise<Message> =>
  new Promise((resolve) => child.once('message', (message) => resolve(message as Message))); // it is our own program
