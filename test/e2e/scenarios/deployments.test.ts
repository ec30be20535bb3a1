import { describe, expect } from 'vitest';
import { deploymentFinalizer } from '../../../src/api/labels.ts';
import { hasError, isDone, isGone, troubles } from '../looks.ts';
import { configMap, scenario } from '../scenario.ts';

describe('a deployment', () => {
  scenario('an automated deployment becomes Synced and Healthy', async ({ team, step }) => {
    const one = await team();
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create();
    const deployment = await step('Synced and Healthy', () => isDone(one, { path: 'app', revision }));
    expect(await one.configMap('map')).toEqual({ a: 'one' });
    expect(deployment.status?.resources).toEqual([
      { version: 'v1', kind: 'ConfigMap', namespace: one.namespace, name: 'map', status: 'Synced' },
    ]);
    expect(deployment.status?.reconciledState).toEqual({
      source: { repoURL: one.repository.url, path: 'app', branch: '' },
      destination: { name: '', namespace: one.namespace },
    });
    expect(troubles(deployment)).toEqual([]);
    await one.remove();
    await step('gone', () => isGone(one));
  });

  scenario('its path, revision, repository and branch change', async ({ team, step }) => {
    const one = await team();
    const first = await one.repository.commit({
      'app/map.yaml': configMap('map', { from: 'app' }),
      'other/map.yaml': configMap('map', { from: 'other' }),
    });
    await one.create();
    await step('Synced and Healthy', () => isDone(one, { revision: first }));

    await one.patch('app', { spec: { source: { path: 'other' } } });
    await step('another path', () => isDone(one, { path: 'other' }));
    expect(await one.configMap('map')).toEqual({ from: 'other' });

    const second = await one.repository.commit({ 'other/map.yaml': configMap('map', { from: 'branch' }) }, 'next');
    await one.patch('app', { spec: { source: { targetRevision: 'next' } } });
    await step('another branch', () => isDone(one, { revision: second }));
    expect(await one.configMap('map')).toEqual({ from: 'branch' });

    await one.patch('app', { spec: { source: { targetRevision: first } } });
    await step('a commit', () => isDone(one, { revision: first }));
    expect(await one.configMap('map')).toEqual({ from: 'other' });

    const two = await team();
    const third = await two.repository.commit({ 'other/map.yaml': configMap('map', { from: 'elsewhere' }) });
    await one.patch('app', { spec: { source: { repoURL: two.repository.url, targetRevision: null } } });
    await step('another repository', () => isDone(one, { revision: third }));
    expect(await one.configMap('map')).toEqual({ from: 'elsewhere' });
  });

  scenario('a revision that is not there, then HEAD', async ({ team, step }) => {
    const one = await team();
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create({ targetRevision: 'no-such-branch' });
    await step('the error is told', () => hasError(one, /no-such-branch/));
    await one.patch('app', { spec: { source: { targetRevision: 'HEAD' } } });
    const deployment = await step('Synced and Healthy', () => isDone(one, { revision }));
    expect(troubles(deployment)).toEqual([]);
  });

  scenario('the same deployment is created and deleted three times', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    for (const time of ['first', 'second', 'third']) {
      const made = await one.create();
      await step(`${time} time Synced and Healthy`, () => isDone(one, { path: 'app' }));
      expect(await one.configMap('map')).toEqual({ a: 'one' });
      await one.remove();
      await step(`${time} time gone`, async () => (await isGone(one)) && !(await one.application(made)));
      await step(`${time} time nothing is left`, async () => (await one.configMap('map')) === undefined);
    }
  });

  scenario('a deletion with the finalizer waits until what was deployed is gone', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create({ finalizers: [deploymentFinalizer] });
    await step('Synced and Healthy', () => isDone(one, { path: 'app' }));
    await one.remove();
    await step('gone', () => isGone(one));
    expect(await one.configMap('map')).toBeUndefined();
  });

  scenario('sync options are added and removed', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const made = await one.create();
    await step('Synced and Healthy', () => isDone(one, { path: 'app' }));
    const options = async () => (await one.application(made))?.spec.syncPolicy?.syncOptions ?? [];
    const before = await options();
    await one.patch('app', { spec: { syncPolicy: { syncOptions: ['CreateNamespace=true'] } } });
    await step('the options are there', async () => (await options()).includes('CreateNamespace=true'));
    await one.patch('app', { spec: { syncPolicy: null } });
    await step('the options are gone', async () => !(await options()).includes('CreateNamespace=true'));
    expect(await options()).toEqual(before);
    await step('still Synced and Healthy', () => isDone(one, { path: 'app' }));
  });
});
