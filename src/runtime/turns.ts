// Whose turn it is: keys wait in the line of their tenant, and tenants take turns.

/** The tenant of a key: its first segment. */
export const tenantOf = (key: string): string => key.slice(0, Math.max(key.indexOf('/'), 0)) || key;

/** Keys that wait for their turn. */
export interface Turns {
  /** Adds a key at the end of its tenant's line; a key that waits already keeps its place. */
  add(key: string): boolean;
  remove(key: string): boolean;
  /** The next key: from the tenant whose turn it is, passing over tenants that `mayRun` refuses. */
  take(mayRun: (tenant: string) => boolean): string | undefined;
  readonly size: number;
}

/**
 * Creates empty lines. Each turn is one pass over one key, so a tenant with ten thousand waiting keys and a tenant with
 * one are served alternately. (Deficit round robin in which every pass costs the same.)
 */
export const createTurns = (): Turns => {
  // Insertion order is the order of turns: who was served goes to the end.
  const lines = new Map<string, Set<string>>();
  let size = 0;
  const drop = (tenant: string, line: Set<string>, key: string): void => {
    line.delete(key);
    size -= 1;
    if (line.size === 0) lines.delete(tenant);
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
    remove(key) {
      const tenant = tenantOf(key);
      const line = lines.get(tenant);
      if (!line?.has(key)) return false;
      drop(tenant, line, key);
      return true;
    },
    take(mayRun) {
      for (const [tenant, line] of lines) {
        if (!mayRun(tenant)) continue;
        const [key] = line;
        if (key === undefined) continue;
        lines.delete(tenant);
        lines.set(tenant, line);
        drop(tenant, line, key);
        return key;
      }
      return undefined;
    },
    get size() {
      return size;
    },
  };
};
