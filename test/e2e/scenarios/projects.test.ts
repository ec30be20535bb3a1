import { describe, expect } from 'vitest';
import { isDone, isGone } from '../looks.ts';
import { configMap, scenario } from '../scenario.ts';

/** As the rows and the AppProject have it; Argo CD takes both spellings for one repository. */
const normalized = (url: string): string => url.replace(/\.git$/, '');

describe("a team's AppProject", () => {
  scenario('the AppProject of one deployment and of several, and its removal', async ({ team, step }) => {
    const one = await team();
    const two = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await two.repository.commit({ 'app/map.yaml': configMap('second', { a: 'two' }) });
    const first = await one.create();
    await step('the first is Synced and Healthy', () => isDone(one));
    const project = await one.project(first);
    expect(project?.spec.sourceRepos).toEqual([normalized(one.repository.url)]);
    expect(project?.spec.destinations).toMatchObject([{ namespace: one.namespace, name: 'in-cluster' }]);

    await one.create({ name: 'second', repoURL: two.repository.url });
    await step('the second is Synced and Healthy', () => isDone(one, { name: 'second' }));
    const repositories = async () => (await one.project(first))?.spec.sourceRepos;
    expect(new Set(await repositories())).toEqual(
      new Set([one, two].map(({ repository }) => normalized(repository.url))),
    );

    await one.remove('second');
    await step('the second is gone', () => isGone(one, 'second'));
    await step('its repository is too', async () => (await repositories())?.length === 1);

    const name = project?.metadata.name ?? '';
    await one.remove();
    await step('the first is gone', () => isGone(one));
    await step('the AppProject is gone', async () => !(await one.projectNamed(name)));
  });
});
