import { describe, expect, it } from 'vitest';
import { createInTurn } from './in-turn.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('work in turn', () => {
  it('runs one after the other for one key, in the order asked, and side by side for others', async () => {
    const inTurn = createInTurn();
    const said: string[] = [];
    const first = Promise.withResolvers<string>();
    const work = (name: string, until?: Promise<string>) => async () => {
      said.push(name);
      return (await until) ?? name;
    };
    const all = [
      inTurn('a', work('first', first.promise)),
      inTurn('a', work('second')),
      inTurn('a', work('third')),
      inTurn('b', work('other')),
    ];
    await settled();
    expect(said).toEqual(['first', 'other']);
    first.resolve('done');
    expect(await Promise.all(all)).toEqual(['done', 'second', 'third', 'other']);
    expect(said).toEqual(['first', 'other', 'second', 'third']);
  });

  it('goes on after one that failed, which only its caller hears of', async () => {
    const inTurn = createInTurn();
    const failing = inTurn('a', () => Promise.reject(new Error('refused')));
    const next = inTurn('a', async () => 'done');
    await expect(failing).rejects.toThrow('refused');
    expect(await next).toBe('done');
    expect(await inTurn('a', async () => 'again')).toBe('again');
  });
});
