import { describe, expect, it } from 'vitest';
import { seededRandom, systemRandom, type Random } from './random.ts';

const UUID_V4 = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;
const draw = ({ next }: Random, count: number): number[] => Array.from({ length: count }, next);

/** Chi-square over 16 equal parts; 15 degrees of freedom, so above 37.7 once in a thousand. */
const unevenness = (numbers: readonly number[]): number => {
  const expected = numbers.length / 16;
  const parts = Array.from({ length: 16 }, (_, part) => numbers.filter((n) => Math.floor(n * 16) === part).length);
  return parts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
};

describe('seeded chance', () => {
  it('is the same for the same seed and another for the next', () => {
    expect(draw(seededRandom(7), 20)).toEqual(draw(seededRandom(7), 20));
    expect(draw(seededRandom(7), 20)).not.toEqual(draw(seededRandom(8), 20));
    expect(seededRandom(7).uuid()).toBe(seededRandom(7).uuid());
  });

  it('is spread evenly, within a seed and over the first numbers of neighbouring seeds', () => {
    const within = draw(seededRandom(1), 20_000);
    const firsts = Array.from({ length: 20_000 }, (_, seed) => seededRandom(seed).next());
    for (const numbers of [within, firsts]) {
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...numbers)).toBeLessThan(1);
      expect(unevenness(numbers)).toBeLessThan(37.7);
    }
  });

  it('does not tell the next number from the one before', () => {
    const numbers = draw(seededRandom(1), 20_000);
    const products = numbers.slice(1).map((n, nth) => (n - 0.5) * ((numbers[nth] ?? 0) - 0.5));
    const correlation = (products.reduce((sum, one) => sum + one, 0) / products.length) * 12;
    expect(Math.abs(correlation)).toBeLessThan(0.03);
  });
});

describe.each([
  ['seeded', seededRandom(1)],
  ["the machine's", systemRandom],
])('a UUID of %s chance', (_, random) => {
  it('is a version 4 in lower case, and no two are the same', () => {
    const uuids = Array.from({ length: 1_000 }, () => random.uuid());
    expect(uuids.filter((uuid) => !UUID_V4.test(uuid))).toEqual([]);
    expect(new Set(uuids).size).toBe(1_000);
  });
});
