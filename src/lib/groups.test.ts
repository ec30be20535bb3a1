import { describe, expect, it } from 'vitest';
import { createGroups } from './groups.ts';

describe('groups', () => {
  it('have the members that were put there and not taken out, in the order in which they came', () => {
    const groups = createGroups();
    for (const member of ['b', 'a', 'c', 'b']) groups.put(member, 'one');
    groups.drop('a');
    groups.drop('never there');
    expect([...groups.of('one')]).toEqual(['b', 'c']);
    expect(['a', 'b'].map(groups.has)).toEqual([false, true]);
    expect([...groups.of('another')]).toEqual([]);
  });

  it('share no member: one that is put elsewhere leaves', () => {
    const groups = createGroups();
    groups.put('a', 'one');
    groups.put('a', 'two');
    expect([[...groups.of('one')], [...groups.of('two')]]).toEqual([[], ['a']]);
  });
});
