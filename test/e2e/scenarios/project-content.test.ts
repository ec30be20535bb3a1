import { describe, expect, inject } from 'vitest';
import { gitOpsDeploymentRepositoryCredentials } from '../../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { AppProject } from '../../../src/api/argocd/app-project.ts';
import { appProjects } from '../../../src/api/argocd/app-project.ts';
import { createAccount, createPlace, isConnected, makeEnvironment, putToken, removeEnvironment } from '../clusters.ts';
import { isValid, makeCredential, putLogin } from '../credentials.ts';
import { isDone, isGone } from '../looks.ts';
import { client, configMap, createRepository, scenario } from '../scenario.ts';

const { privateGit, elsewhere, argocdNamespace } = inject('endToEnd');
const normalized = (url: string): string => url.replace(/\.git$/, '');
const destinationsOf = (project: AppProject | undefined): string[] =>
  (project?.spec.destinations ?? []).map(({ name = '', namespace = '' }) => `${name}/${namespace}`);

// Beside a cluster that was there before, neither of both is started.
describe.skipIf(privateGit === undefined || elsewhere === undefined)("a team's AppProject, as it grows", () => {
  scenario('the AppProject with credentials and environments, and its removal', async (stage) => {
    const { step } = stage;
    const [one, place] = [await stage.team(), await createPlace(stage)];
    const { https, login } = privateGit ?? { https: undefined, login: { username: '', password: '' } };
    const secret = await createRepository(`${one.namespace}-private`, https);
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const deployment = await one.create();
    await step('Synced and Healthy', () => isDone(one));
    const project = await one.project(deployment);
    const name = project?.metadata.name ?? '';
    const own = `in-cluster/${one.namespace}`;
    expect(destinationsOf(project)).toEqual([own]);

    await putLogin(one, 'repo', login);
    await makeCredential(one, 'repo', secret.url);
    await step('the credential is right', () => isValid(one, 'repo'));
    const repositories = async () => (await one.projectNamed(name))?.spec.sourceRepos;
    const both = [one.repository.url, secret.url].map(normalized);
    await step('its repository is permitted', async () => (await repositories())?.length === 2);
    expect(new Set(await repositories())).toEqual(new Set(both));

    const token = await createAccount(stage, place, { name: 'argocd', rights: 'all' });
    const ids: string[] = [];
    for (const environment of ['test', 'production']) {
      await putToken(one, environment, { ...place, token });
      await makeEnvironment(one, environment, place);
      await step(`${environment} is connected`, () => isConnected(one, environment));
      await one.create({ name: environment, destination: { environment, namespace: place.namespace } });
      await step(`Synced and Healthy in ${environment}`, () => isDone(one, { name: environment }));
      const there = await one.get(environment);
      ids.push((there && (await one.application(there)))?.spec.destination.name ?? '');
      await one.remove(environment);
      await step(`gone from ${environment}`, () => isGone(one, environment));
    }
    expect(destinationsOf(await one.projectNamed(name))).toEqual([...ids.map((id) => `${id}/*`), own]);

    await client.patch(
      appProjects,
      { namespace: argocdNamespace, name },
      { type: 'merge', body: { spec: { destinations: [{ name: 'in-cluster', namespace: '*' }] } } },
    );
    await step(
      'what somebody changed is put right',
      async () => destinationsOf(await one.projectNamed(name)).length === 3,
    );

    await removeEnvironment(one, 'test');
    await step('an environment less', async () => destinationsOf(await one.projectNamed(name)).length === 2);
    await removeEnvironment(one, 'production');
    await step('and another', async () => destinationsOf(await one.projectNamed(name)).length === 1);
    await one.remove();
    await step('the deployment is gone', () => isGone(one));
    await step('its repository is gone', async () => (await repositories())?.length === 1);
    expect(await repositories()).toEqual([normalized(secret.url)]);
    await client.delete(gitOpsDeploymentRepositoryCredentials, { namespace: one.namespace, name: 'repo' });
    await step('the AppProject is gone', async () => !(await one.projectNamed(name)));
  });
});
