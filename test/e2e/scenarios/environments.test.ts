import { describe, expect, inject } from 'vitest';
import { deploymentFinalizer } from '../../../src/api/labels.ts';
import { secrets } from '../../../src/kube/object.ts';
import {
  createAccount,
  createPlace,
  createUser,
  environmentSays,
  isConnected,
  makeEnvironment,
  putCertificate,
  putToken,
  removeEnvironment,
  type Place,
  type Rights,
} from '../clusters.ts';
import { hasBeenRefreshed, hasError, isDone, isGone, says } from '../looks.ts';
import { client, configMap, scenario, type Stage, type Team } from '../scenario.ts';

const { argocdNamespace, elsewhere } = inject('endToEnd');

/** A team with a map in its repository, and a namespace of another cluster. */
const teamAndPlace = async (stage: Stage): Promise<readonly [Team, Place]> => {
  const [one, place] = [await stage.team(), await createPlace(stage)];
  await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
  return [one, place];
};

/** An environment `prod` with an account that has these rights, and a deployment to it. */
const deployThere = async (stage: Stage, rights: Rights = 'all'): Promise<readonly [Team, Place]> => {
  const [one, place] = await teamAndPlace(stage);
  const token = await createAccount(stage, place, { name: 'argocd', rights });
  await putToken(one, 'prod', { ...place, token });
  await makeEnvironment(one, 'prod', place);
  await stage.step('connected', () => isConnected(one, 'prod'));
  await one.create({
    destination: { environment: 'prod', namespace: place.namespace },
    finalizers: [deploymentFinalizer],
  });
  await stage.step('Synced and Healthy', () => isDone(one));
  return [one, place];
};

/** What there is of a kind in kube-system that was made for an environment. */
const madeFor = async ({ cluster }: Place, uid: string | undefined): Promise<string[]> => {
  const kinds = 'serviceaccounts,secrets,clusterroles,clusterrolebindings';
  const names = await cluster.kubectl(['-n', 'kube-system', 'get', kinds, '-o', 'name']);
  return names
    .split('\n')
    .filter((name) => name.includes(`${uid}`))
    .map((name) => name.replace(/[.\w]*\//, ''));
};

// Beside a cluster that was there before, no other one is started.
describe.skipIf(elsewhere === undefined)('a managed environment', () => {
  scenario('an environment with a new ServiceAccount', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    const admin = await createAccount(stage, place, { name: 'admin', rights: 'all' });
    await putToken(one, 'prod', { ...place, token: admin });
    const { metadata } = await makeEnvironment(one, 'prod', { ...place, createNewServiceAccount: true });
    await step('connected', () => isConnected(one, 'prod'));
    expect(await madeFor(place, metadata.uid)).toHaveLength(4);
    // What Argo CD uses does not hang on the account that made it.
    await place.cluster.kubectl(['-n', place.namespace, 'delete', 'serviceaccount', 'admin']);

    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    const deployment = await step('Synced and Healthy', () => isDone(one));
    expect(deployment.status?.reconciledState?.destination).toEqual({ name: 'prod', namespace: place.namespace });
    expect(await place.configMap('map')).toEqual({ a: 'one' });
    expect(await one.configMap('map')).toBeUndefined();

    await one.remove();
    await step('the deployment is gone', () => isGone(one));
    await step('what was deployed is gone', async () => (await place.configMap('map')) === undefined);
    await removeEnvironment(one, 'prod');
    await step('what was made on the cluster is gone', async () => (await madeFor(place, metadata.uid)).length === 0);
  });

  scenario('an environment with a new ServiceAccount, made by who has a client certificate', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    await putCertificate(one, 'prod', { ...place, ...(await createUser(stage, place, 'admin')) });
    const { metadata } = await makeEnvironment(one, 'prod', { ...place, createNewServiceAccount: true });
    await step('connected', () => isConnected(one, 'prod'));
    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    await step('Synced and Healthy', () => isDone(one));
    expect(await place.configMap('map')).toEqual({ a: 'one' });
    await one.remove();
    await step('the deployment is gone', () => isGone(one));
    await removeEnvironment(one, 'prod');
    await step('what was made on the cluster is gone', async () => (await madeFor(place, metadata.uid)).length === 0);
  });

  scenario('an environment whose certificate is checked, by who trusts its authority', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    const token = await createAccount(stage, place, { name: 'argocd', rights: 'all' });
    await putToken(one, 'prod', { ...place, token });
    await makeEnvironment(one, 'prod', { ...place, checksCertificate: true });
    await step('connected', () => isConnected(one, 'prod'));
    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    await step('Synced and Healthy', () => isDone(one));
    expect(await place.configMap('map')).toEqual({ a: 'one' });
  });

  scenario('an environment with an existing ServiceAccount', async (stage) => {
    const [one, place] = await deployThere(stage);
    expect(await place.configMap('map')).toEqual({ a: 'one' });
    expect(await madeFor(place, 'argocd-manager')).toEqual([]);
    await one.remove();
    await stage.step('gone', () => isGone(one));
    expect(await place.configMap('map')).toBeUndefined();
  });

  scenario('an environment without a token, then with one', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    await putCertificate(one, 'prod', { ...place, ...(await createUser(stage, place, 'admin')) });
    await makeEnvironment(one, 'prod', place);
    const told = /=False UnableToParseKubeconfigData kubeconfig must have a service account token for the user in/;
    await step('the error is told', () => environmentSays(one, 'prod', told));
    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    await step('the deployment waits', () => says(one, /Unable to reconcile the ManagedEnvironment/));
    const token = await createAccount(stage, place, { name: 'argocd', rights: 'all' });
    await putToken(one, 'prod', { ...place, token });
    await step('connected', () => isConnected(one, 'prod'));
    await step('Synced and Healthy', () => isDone(one));
  });

  scenario('an environment with too few rights, which are given later', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    const token = await createAccount(stage, place, { name: 'argocd', rights: 'none' });
    await putToken(one, 'prod', { ...place, token });
    await makeEnvironment(one, 'prod', place);
    const told = /=Unknown UnableToValidateClusterCredentials Provided service account does not have permission/;
    await step('the error is told', () => environmentSays(one, 'prod', told));
    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    const binding = `given-${place.namespace}`;
    const to = `--serviceaccount=${place.namespace}:argocd`;
    await place.cluster.kubectl(['create', 'clusterrolebinding', binding, '--clusterrole=cluster-admin', to]);
    stage.afterwards(() => place.cluster.kubectl(['delete', 'clusterrolebinding', binding]));
    await step('connected', () => isConnected(one, 'prod'));
    await step('Synced and Healthy', () => isDone(one));
  });

  scenario('an environment whose rights end while it is used', async (stage) => {
    const { step } = stage;
    const [one, place] = await deployThere(stage);
    await place.cluster.kubectl(['delete', 'clusterrolebinding', `${place.namespace}-argocd`]);
    const told = /=Unknown UnableToValidateClusterCredentials Provided service account does not have permission/;
    await step('the environment tells', () => environmentSays(one, 'prod', told));
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await hasBeenRefreshed(one);
    await step('the deployment tells', () => says(one, /failed to apply.* \(ConfigMap map: .*forbidden/));
    const token = await createAccount(stage, place, { name: 'another', rights: 'all' });
    await putToken(one, 'prod', { ...place, token });
    await step('connected', () => isConnected(one, 'prod'));
    await step('deployed', async () => (await place.configMap('map'))?.['a'] === 'two');
  });

  scenario('an environment of one namespace', async (stage) => {
    const { step } = stage;
    const [one, place] = await teamAndPlace(stage);
    const other = await createPlace(stage);
    const token = await createAccount(stage, place, { name: 'argocd', rights: [place.namespace] });
    await putToken(one, 'prod', { ...place, token });
    await makeEnvironment(one, 'prod', { ...place, namespaces: [other.namespace] });
    const told = /=Unknown UnableToValidateClusterCredentials Provided service account does not have permission/;
    await step('a namespace that it may not read is told', () => environmentSays(one, 'prod', told));
    await removeEnvironment(one, 'prod');
    await makeEnvironment(one, 'prod', { ...place, namespaces: [place.namespace] });
    await step('connected', () => isConnected(one, 'prod'));
    await one.create({ destination: { environment: 'prod', namespace: place.namespace } });
    await step('Synced and Healthy', () => isDone(one));
    expect(await place.configMap('map')).toEqual({ a: 'one' });
    await one.create({ name: 'other', destination: { environment: 'prod', namespace: other.namespace } });
    await step('another namespace is refused', () => hasError(one, /is not managed/, 'other'));
    expect(await other.configMap('map')).toBeUndefined();
  });

  scenario('several environments of one team, one of them wrong', async (stage) => {
    const { step } = stage;
    const [one, first] = await teamAndPlace(stage);
    const places = { first, second: await createPlace(stage), third: await createPlace(stage) };
    await putToken(one, 'wrong', { ...first, token: 'wrong' });
    await makeEnvironment(one, 'wrong', first);
    for (const [name, place] of Object.entries(places)) {
      const { namespace } = place;
      const token = await createAccount(stage, place, { name, rights: [namespace] });
      await putToken(one, name, { ...place, token });
      await makeEnvironment(one, name, { ...place, namespaces: [namespace] });
      await one.create({ name, destination: { environment: name, namespace } });
    }
    await one.create({ name: 'wrong', destination: { environment: 'wrong', namespace: first.namespace } });
    const names = Object.keys(places);
    await step('all are Synced and Healthy', () => Promise.all(names.map((name) => isDone(one, { name }))));
    for (const place of Object.values(places)) expect(await place.configMap('map')).toEqual({ a: 'one' });
    const told = /=Unknown UnableToValidateClusterCredentials Unable to validate the credentials/;
    await step('the wrong one tells', () => environmentSays(one, 'wrong', told));

    const move = { spec: { destination: { environment: 'third', namespace: places.third.namespace } } };
    await one.remove('third');
    await step('one is gone', () => isGone(one, 'third'));
    await one.patch('first', move);
    await step('one goes from cluster to cluster', () => isDone(one, { name: 'first', environment: 'third' }));
    expect(await places.third.configMap('map')).toEqual({ a: 'one' });
  });

  scenario('the token of an environment is exchanged in its Secret', async (stage) => {
    const { step } = stage;
    const [one, place] = await deployThere(stage);
    const token = await createAccount(stage, place, { name: 'another', rights: 'all' });
    await putToken(one, 'prod', { ...place, token });
    const used = async (): Promise<boolean> => {
      const { items } = await client.list(secrets, { namespace: argocdNamespace });
      return items.some(({ data }) => Buffer.from(data?.['config'] ?? '', 'base64').includes(token));
    };
    await step('Argo CD has it', used);
    // Then the old one does not work any more.
    await place.cluster.kubectl(['-n', place.namespace, 'delete', 'serviceaccount', 'argocd']);
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await hasBeenRefreshed(one);
    await step('Synced and Healthy', () => isDone(one, { revision }));
    expect(await place.configMap('map')).toEqual({ a: 'two' });
    await one.remove();
    await step('gone', () => isGone(one));
    expect(await place.configMap('map')).toBeUndefined();
  });

  scenario('an environment is deleted while it is used, and made again', async (stage) => {
    const { step } = stage;
    const [one, place] = await deployThere(stage);
    const deployment = await one.get();
    await removeEnvironment(one, 'prod');
    await step('the deployment tells', () => hasError(one, /unable to reconcile the ManagedEnvironment resource/));
    await step('Argo CD does not deploy it any more', async () => {
      const application = deployment && (await one.application(deployment));
      return application && !application.spec.destination.name;
    });
    expect(await place.configMap('map')).toEqual({ a: 'one' });
    await makeEnvironment(one, 'prod', place);
    await step('connected again', () => isConnected(one, 'prod'));
    const revision = await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await hasBeenRefreshed(one);
    await step('Synced and Healthy', () => isDone(one, { revision }));
    expect(await place.configMap('map')).toEqual({ a: 'two' });
    await one.remove();
    await step('gone', () => isGone(one));
    expect(await place.configMap('map')).toBeUndefined();
  });

  scenario('an environment is deleted, then the deployment that used it', async (stage) => {
    const { step } = stage;
    const [one, place] = await deployThere(stage);
    const deployment = await one.get();
    await removeEnvironment(one, 'prod');
    await step('the deployment tells', () => hasError(one, /unable to reconcile the ManagedEnvironment resource/));
    await one.remove();
    await step('gone', () => isGone(one));
    expect(deployment && (await one.application(deployment))).toBeUndefined();
    // Nobody has the right any more to remove what was deployed.
    expect(await place.configMap('map')).toEqual({ a: 'one' });
  });
});
