import { describe, expect, it } from 'vitest';
import { createSyncRunWaits } from './waits.ts';

const setUp = () => {
  const woken: string[] = [];
  const waits = createSyncRunWaits((key) => woken.push(key));
  return { waits, woken };
};

describe('a lane that waits for a deployment', () => {
  it('is woken by it until it waits no more, which needs no name of the deployment', () => {
    const { waits, woken } = setUp();
    waits.add('team/web', 'a');
    waits.add('team/web', 'b');
    waits.wake('team/web');
    expect(woken).toEqual(['a', 'b']);
    waits.remove('a');
    waits.wake('team/web');
    expect(woken).toEqual(['a', 'b', 'b']);
  });

  it('waits for one deployment only: that of its last pass', () => {
    const { waits, woken } = setUp();
    waits.add('team/web', 'a');
    waits.add('team/other', 'a');
    waits.wake('team/web');
    expect(woken).toEqual([]);
    waits.wake('team/other');
    expect(woken).toEqual(['a']);
  });
});
