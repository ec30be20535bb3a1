import { describe, expect } from 'vitest';
import { deploymentFinalizer } from '../../../src/api/labels.ts';
import { isDone, isGone } from '../looks.ts';
import { configMap, kubectl, scenario, type Team } from '../scenario.ts';

const USERS = 10;

/** A map that is kept by somebody else's finalizer. */
const held = `${JSON.stringify({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'held', finalizers: ['example.com/somebody-else'] },
})}\n`;

const release = ({ namespace }: Team) =>
  kubectl(['-n', namespace, 'patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);

describe('several teams', () => {
  scenario('ten users at once', async ({ team, step }) => {
    const teams = await Promise.all(Array.from({ length: USERS }, () => team('user')));
    await Promise.all(
      teams.map((one) => one.repository.commit({ 'app/map.yaml': configMap('map', { of: one.namespace }) })),
    );
    await Promise.all(teams.map((one) => one.create()));
    await step('all are Synced and Healthy', () => Promise.all(teams.map((one) => isDone(one))));
    for (const one of teams) expect(await one.configMap('map')).toEqual({ of: one.namespace });
    await Promise.all(teams.map((one) => one.remove()));
    await step('all are gone', () => Promise.all(teams.map((one) => isGone(one))));
  });

  scenario(
    "a deletion waits for somebody else's finalizer on what was deployed, and says so",
    async ({ team, step }) => {
      const one = await team();
      await one.repository.commit({ 'app/held.yaml': held });
      await one.create({ finalizers: [deploymentFinalizer] });
      await step('Synced and Healthy', () => isDone(one));
      await one.remove();
      await step('it says that it waits', async () =>
        (await one.get())?.status?.conditions?.some(({ reason }) => reason === 'DeletionBlocked'),
      );
      expect(await one.get()).toBeDefined();
      await release(one);
      await step('gone', () => isGone(one));
    },
  );

  scenario("deletions that Argo CD can't finish while other tenants work on", async ({ team, step }) => {
    const stuck = await Promise.all(Array.from({ length: 3 }, () => team('stuck')));
    await Promise.all(stuck.map((one) => one.repository.commit({ 'app/held.yaml': held })));
    await Promise.all(stuck.map((one) => one.create({ finalizers: [deploymentFinalizer] })));
    await step('all are Synced and Healthy', () => Promise.all(stuck.map((one) => isDone(one))));
    await Promise.all(stuck.map((one) => one.remove()));

    const other = await team('other');
    await other.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await other.create();
    await step('another is Synced and Healthy', () => isDone(other));
    await other.remove();
    await step('another is gone', () => isGone(other));

    for (const one of stuck) expect(await one.get()).toBeDefined();
    await Promise.all(stuck.map(release));
    await step('the stuck ones are gone', () => Promise.all(stuck.map((one) => isGone(one))));
  });
});
