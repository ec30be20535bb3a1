import { describe, expect, inject } from 'vitest';
import { gitOpsDeploymentRepositoryCredentials } from '../../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { createSshKey } from '../../kit/git-ssh-server.ts';
import { credentialSays, isValid, makeCredential, putLogin, type Login } from '../credentials.ts';
import { hasBeenRefreshed, hasError, isDone, isGone } from '../looks.ts';
import type { GitPlace, PrivateGit } from '../private-git.ts';
import { client, configMap, createRepository, scenario, type Repository, type Stage, type Team } from '../scenario.ts';

const { privateGit } = inject('endToEnd');

/** The private servers, where there are any; without them nothing here runs. */
const given = (): PrivateGit => {
  if (privateGit === undefined) throw new Error('this run has no private Git servers');
  return privateGit;
};

/** A team with a private repository. */
const withRepository = async (stage: Stage, place: GitPlace): Promise<readonly [Team, Repository]> => {
  const one = await stage.team();
  const repository = await createRepository(`${one.namespace}-private`, place);
  await repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
  return [one, repository];
};

/** What Argo CD says where it has neither password nor key. */
const withoutLogin = /authentication required|SSH agent requested/;

/** A Secret is wrong, then right, then wrong again, then another right one; the deployment follows. */
const changedInPlace = async (
  stage: Stage,
  place: GitPlace,
  { wrong, right }: { readonly wrong: Login; readonly right: readonly Login[] },
): Promise<void> => {
  const { step } = stage;
  const [one, repository] = await withRepository(stage, place);
  await putLogin(one, 'repo', wrong);
  await makeCredential(one, 'repo', repository.url);
  await step('it is told that it is refused', () =>
    credentialSays(one, 'repo', /^ErrorOccurred=True InvalidCredentials Repository Credentials provided repo for/),
  );
  await one.create({ repoURL: repository.url });
  await step('the deployment tells', () => hasError(one, withoutLogin));
  let count = 0;
  for (const login of right) {
    await putLogin(one, 'repo', login);
    await step('it is right', () => isValid(one, 'repo'));
    const revision = await repository.commit({ 'app/map.yaml': configMap('map', { a: `${(count += 1)}` }) });
    await step('Synced and Healthy', () => isDone(one, { revision }));
    await putLogin(one, 'repo', wrong);
    await step('it is told again', () => credentialSays(one, 'repo', /^ErrorOccurred=True InvalidCredentials/));
  }
  expect(await one.configMap('map')).toEqual({ a: String(right.length) });
  await one.remove();
  await step('gone', () => isGone(one));
};

// A cluster that was there before has an Argo CD that does not know the private servers.
describe.skipIf(privateGit === undefined)('a private repository', () => {
  scenario('a repository over HTTPS, whose Secret is wrong, then right', async (stage) => {
    const { https, login } = given();
    await changedInPlace(stage, https, { wrong: { ...login, password: 'wrong' }, right: [login] });
  });

  scenario('a repository over ssh, whose Secret is wrong, then has one key and another', async (stage) => {
    const { ssh, keys } = given();
    await changedInPlace(stage, ssh, {
      wrong: { sshPrivateKey: createSshKey('ed25519').private },
      right: [{ sshPrivateKey: keys.ed25519 }, { sshPrivateKey: keys.rsa }],
    });
  });

  scenario('a repository that is not there, and a Git host that can not be reached', async (stage) => {
    const { https, login } = given();
    const one = await stage.team();
    await putLogin(one, 'repo', login);
    const repository = `${https.url}/${one.namespace}-none.git`;
    await makeCredential(one, 'repo', repository);
    await stage.step('it is told that there is none', () =>
      credentialSays(one, 'repo', /^ErrorOccurred=True InvalidRepositoryUrl Repository does not exist: repository not/),
    );
    await putLogin(one, 'other', login);
    await makeCredential(one, 'other', 'https://127.0.0.1:1/team/app.git');
    await stage.step('it is told that nobody answers', () =>
      credentialSays(one, 'other', /^ErrorOccurred=True RepositoryUnreachable .*connection refused/),
    );
    await createRepository(`${one.namespace}-none`, https);
    await stage.step('it is there', () => isValid(one, 'repo'));
  });

  scenario("one team's credential does not open the repository to another team", async (stage) => {
    const { https, login } = given();
    const { step } = stage;
    const [one, repository] = await withRepository(stage, https);
    await putLogin(one, 'repo', login);
    await makeCredential(one, 'repo', repository.url);
    await step('it is right', () => isValid(one, 'repo'));
    const two = await stage.team();
    await two.create({ repoURL: repository.url });
    await step('the other is refused', () => hasError(two, withoutLogin));
    await one.create({ repoURL: repository.url });
    await step('Synced and Healthy', () => isDone(one));
    // Argo CD's caches have the repository now, and its manifests.
    await step('Argo CD has looked again', () => hasBeenRefreshed(two));
    await hasError(two, withoutLogin);
    expect(await two.configMap('map')).toBeUndefined();
  });

  scenario('a credential is deleted while it is used', async (stage) => {
    const { https, login } = given();
    const { step } = stage;
    const [one, repository] = await withRepository(stage, https);
    await putLogin(one, 'repo', login);
    await makeCredential(one, 'repo', repository.url);
    await one.create({ repoURL: repository.url });
    await step('Synced and Healthy', () => isDone(one));
    await client.delete(gitOpsDeploymentRepositoryCredentials, { namespace: one.namespace, name: 'repo' });
    await repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await step('the deployment tells', () => hasError(one, withoutLogin));
    expect(await one.configMap('map')).toEqual({ a: 'one' });
    await makeCredential(one, 'repo', repository.url);
    await step('deployed', async () => (await one.configMap('map'))?.['a'] === 'two');
  });
});
