import { describe, expect } from 'vitest';
import { deploymentFinalizer } from '../../../src/api/labels.ts';
import { isDone, isGone, says } from '../looks.ts';
import { configMap, scenario } from '../scenario.ts';

/** The API server refuses it each time: its name is none. */
const refused = configMap('Not_A_Name', { a: 'one' });

describe('a sync that always fails', () => {
  scenario('a sync that always fails is mended by a commit', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': refused });
    await one.create();
    await step('the error is told', () => says(one, /the sync failed and is being tried again .*Not_A_Name/));
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await step('Synced and Healthy', () => isDone(one, { revision }));
    expect(await one.configMap('map')).toEqual({ a: 'two' });
  });

  scenario('a deployment whose sync always fails is deleted', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': refused });
    const deployment = await one.create({ finalizers: [deploymentFinalizer] });
    await step('the error is told', () => says(one, /the sync failed and is being tried again .*Not_A_Name/));
    await one.remove();
    await step('gone', () => isGone(one));
    expect(await one.application(deployment)).toBeUndefined();
  });

  scenario('the path of a deployment whose sync always fails is changed', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': refused, 'right/map.yaml': configMap('map', { a: 'one' }) });
    await one.create();
    await step('the error is told', () => says(one, /the sync failed and is being tried again .*Not_A_Name/));
    await one.patch('app', { spec: { source: { path: 'right' } } });
    await step('Synced and Healthy', () => isDone(one, { path: 'right' }));
  });
});
