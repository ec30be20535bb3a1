// Whose turn it is: keys wait in the line of their tenant, and tenants take turns.

/** The tenant of a key: its first segment. */
export const tenantOf = (key: string): string => key.slice(0, Math.max(key.indexOf('/'), 0)) || key;

/** Keys that wait for their turn. */
export interface Turns {
  /** Adds a key at the end of its tenant's line; a key that waits already keeps its place. */
  add(key: string): boolean;
  remove(key: string): boolean;
  /**
   * The next key: from the tenant whose turn it is, passing over tenants that `mayRun` refuses. Those keep their turn.
   * Costs one look for each tenant that is refused, and no tenant is refused that has nothing running.
   */
  take(mayRun: (tenant: string) => boolean): string | undefined;
  clear(): void;
  readonly size: number;
}

/**
 * Creates empty lines. Each turn is one pass over one key, so a tenant with ten thousand waiting keys and a tenant with
 * one are served alternately. (Deficit round robin in which every pass costs the same.)
 */
export const createTurns = (): Turns => {
  // Insertion order is the order of turns: who was served goes to the end. No line is empty.
  const lines = new Map<string, Set<string>>();
  let size = 0;
  const remove = (key: string): boolean => {
    const tenant = tenantOf(key);
    const line = lines.get(tenant);
    if (!line?.delete(key)) return false;
    size -= 1;
    if (line.size === 0) lines.delete(tenant);
    return true;
  };
  const toTheEnd = (tenant: string, line: Set<string>): void => {
    lines.delete(tenant);
    lines.set(tenant, line);
  };
  return {
    add(key) {
      const tenant = tenantOf(key);
      const line = lines.get(tenant) ?? new Set();
      if (line.has(key)) return false;
      lines.set(tenant, line.add(key));
      size += 1;
      return true;
    },
    remove,
    take(mayRun) {
      for (const [tenant, line] of lines) {
        const [key] = line;
        if (key === undefined || !mayRun(tenant)) continue;
        toTheEnd(tenant, line);
        remove(key);
        return key;
      }
      return undefined;
    },
    clear() {
      lines.clear();
      size = 0;
    },
    get size() {
      return size;
    },
  };
};
