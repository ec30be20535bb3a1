// A few at a time: what is called sent has a connection of its own and waits for no other request of the bench.

/** Runs what it is given, so many at once; the rest waits in order. */
export type Slots = <T>(run: () => Promise<T>) => Promise<T>;

/** Creates slots. The client has 32 connections. */
export const createSlots = (count = 32): Slots => {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (run) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve)); // the slot is handed over, never free in between
    try {
      return await run();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
};
