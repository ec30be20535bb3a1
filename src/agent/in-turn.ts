// Work on one thing after the other, in the order asked.

/** Runs work of one key in turn, of different keys side by side. What `run` throws is its caller's alone. */
export type InTurn = <T>(key: string, run: () => Promise<T>) => Promise<T>;

/** Creates turns of this process; nothing is kept of a key that nobody works on. */
export const createInTurn = (): InTurn => {
  const last = new Map<string, Promise<unknown>>();
  return async (key, run) => {
    const before = last.get(key);
    const mine = before ? before.then(run, run) : run();
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
};
