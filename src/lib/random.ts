// Chance as an argument: jitter, ids and shuffles come from a `Random`, so that a seeded test replays.
import { randomUUID } from 'node:crypto';

/** Where chance comes from. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A lower-case UUIDv4 (RFC 9562). */
  uuid(): string;
}

/** The machine's randomness. */
export const systemRandom: Random = { next: () => Math.random(), uuid: () => randomUUID() };

/**
 * A deterministic source (mulberry32): the same seed gives the same sequence. For tests and replays, not for secrets.
 */
export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (digits: number): string =>
    Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join('');
  const variant = (): string => '89ab'.charAt(Math.floor(next() * 4));
  return {
    next,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${variant()}${hex(3)}-${hex(12)}`,
  };
};
