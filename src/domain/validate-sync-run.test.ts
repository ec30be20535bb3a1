import { expect, it } from 'vitest';
import type { GitOpsDeploymentSyncRun } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { admitSyncRun, validateSyncRun } from './validate-sync-run.ts';

const syncRun = (name: string, revisionID = 'main'): GitOpsDeploymentSyncRun => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentSyncRun',
  metadata: { name, namespace: 'team-a' },
  spec: { gitopsDeploymentName: 'web', revisionID },
});
const probe = syncRun('zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz');

it('the name that shows whether the door is watched is denied on create, and only then', () => {
  const text = 'name should not be zyxwvutsrqponmlkjihgfedcba-abcdefghijklmnoqrstuvwxyz';
  expect(admitSyncRun(probe, 'CREATE')?.message).toBe(text);
  expect(admitSyncRun(probe, 'UPDATE')).toBeUndefined();
  expect(validateSyncRun(probe)?.message).toBe(text);
});

it('a sync run that nobody can carry out comes in, and its status tells why', () => {
  const tooLong = syncRun('long', 'r'.repeat(257));
  expect(admitSyncRun(tooLong, 'CREATE')).toBeUndefined();
  expect(validateSyncRun(tooLong)?.reason).toBe('SyncRunFieldTooLong');
});
