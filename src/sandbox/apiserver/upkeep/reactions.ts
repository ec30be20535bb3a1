// What the server does by itself after a change, as the controllers of a real cluster do: soon, not within the request.
import type { Logger } from '../../../lib/log.ts';
import type { Change } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';

/**
 * Calls each reaction with every change, in order, once the request that made the change has been answered for.
 * Returns the function that ends it. A reaction that throws is logged; the others go on.
 */
export const startReactions = (parts: {
  storage: Storage;
  log: Logger;
  reactions: readonly ((change: Change) => void)[];
}): (() => void) => {
  const { storage, log, reactions } = parts;
  let waiting: Change[] = [];
  let stopped = false;

  const react = (change: Change, reaction: (change: Change) => void): void => {
    try {
      reaction(change);
    } catch (error) {
      log.error('the sandbox API server failed to follow up on a change', { resource: change.resource, err: error });
    }
  };

  const drain = (): void => {
    while (waiting.length > 0 && !stopped) {
      const changes = waiting;
      waiting = [];
      for (const change of changes) for (const reaction of reactions) react(change, reaction);
    }
  };

  const unfollow = storage.followAll((change) => {
    if (waiting.push(change) === 1) queueMicrotask(drain);
  });
  return () => {
    stopped = true;
    unfollow();
  };
};
