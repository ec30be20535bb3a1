import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/kit/captured-log.ts';
import { aSyncRun } from '../../../test/kit/sync-runs.ts';
import type { GitOpsDeploymentSyncRun } from '../../api/v1alpha1/gitops-deployment-sync-run.ts';
import { createStore } from '../../runtime/store.ts';
import { createSyncRunWaits } from './waits.ts';

const setUp = () => {
  const woken: string[] = [];
  const syncRuns = createStore<GitOpsDeploymentSyncRun>({ log: silentLog });
  const ordered = new Set<string>();
  const waits = createSyncRunWaits({ syncRuns, ordered }, (key) => woken.push(key));
  return { waits, woken, syncRuns, ordered };
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

describe('the next turn', () => {
  it('is that of the oldest that waits, can be ordered and is not known to be ordered', () => {
    const { waits, woken, syncRuns, ordered } = setUp();
    const add = (name: string, second: number, revision = ''): void => {
      const { metadata, ...rest } = aSyncRun({ namespace: 'team', name, revision });
      const creationTimestamp = `2026-01-01T00:00:0${second}Z`;
      syncRuns.put({ ...rest, metadata: { ...metadata, uid: name, resourceVersion: '1', creationTimestamp } });
      waits.add('team/app', `uid/sync/${name}`);
    };
    add('too-long', 1, 'x'.repeat(300));
    add('ordered', 2);
    ordered.add('ordered');
    add('b', 3);
    add('a', 3);
    add('later', 4);
    waits.wakeNext('team/app');
    waits.remove('uid/sync/a');
    waits.wakeNext('team/app');
    waits.wakeNext('team/other');
    expect(woken).toEqual(['uid/sync/a', 'uid/sync/b']);
  });
});
