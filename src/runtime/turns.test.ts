import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTurns, tenantOf, type Turns } from './turns.ts';

const always = (): boolean => true;
const drain = (turns: Turns): string[] => {
  const taken: string[] = [];
  for (let key = turns.take(always); key !== undefined; key = turns.take(always)) taken.push(key);
  return taken;
};
const filled = (...keys: string[]): Turns => {
  const turns = createTurns();
  for (const key of keys) turns.add(key);
  return turns;
};

describe('turns', () => {
  it('serve tenants alternately, and the keys of one tenant in the order they came', () => {
    const turns = filled('a/k/1', 'a/k/2', 'a/k/3', 'b/k/1', 'b/k/2', 'c/k/1');
    expect(drain(turns)).toEqual(['a/k/1', 'b/k/1', 'c/k/1', 'a/k/2', 'b/k/2', 'a/k/3']);
  });

  it('pass over a tenant that may not run, which keeps its turn', () => {
    const turns = filled('a/k/1', 'b/k/1', 'b/k/2');
    const notA = (tenant: string): boolean => tenant !== 'a';
    expect([turns.take(notA), turns.take(always)]).toEqual(['b/k/1', 'a/k/1']);
    expect([turns.take(notA), turns.take(notA)]).toEqual(['b/k/2', undefined]);
  });

  it('keep the place of a key that is added again, and give it up when it is removed', () => {
    const turns = filled('a/k/1', 'a/k/2');
    expect(turns.add('a/k/1')).toBe(false);
    expect([turns.remove('a/k/2'), turns.remove('a/k/2'), turns.size]).toEqual([true, false, 1]);
    expect(drain(turns)).toEqual(['a/k/1']);
  });

  it('serve a tenant with one key no later than after one key of each other tenant', () => {
    const names = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(50)), { maxLength: 200 });
    fc.assert(
      fc.property(names, (keys) => {
        const turns = filled(...keys.map(([tenant, name]) => `${tenant}/k/${name}`), 'late/k/1');
        const others = new Set(keys.map(([tenant]) => tenant)).size;
        expect(drain(turns).indexOf('late/k/1')).toBeLessThanOrEqual(others);
        expect(turns.size).toBe(0);
      }),
    );
  });

  it('take a key without a slash for a tenant of its own', () => {
    expect(['a/k/1', 'alone', '/odd'].map(tenantOf)).toEqual(['a', 'alone', '/odd']);
  });
});
