// Waiting for what another process or socket does, without a fixed sleep.

/**
 * Calls `look` every few milliseconds until it returns a truthy value, which is the result. What it throws counts as
 * "not yet". Gives up after `withinMs` of real time with the last error or value in the message, so that a hang names
 * what it hung on.
 */
export const eventually = async <T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 20_000,
): Promise<NonNullable<Awaited<T>>> => {
  const startMs = performance.now();
  for (;;) {
    let last: unknown;
    try {
      const seen = await look();
      if (seen) return seen;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() - startMs > withinMs) {
      throw new Error(
        `never came true: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
