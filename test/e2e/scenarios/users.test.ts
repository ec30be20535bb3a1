import { describe, expect, inject } from 'vitest';
import { createAccount, environmentSays, here, isConnected, makeEnvironment, placeOf, putToken } from '../clusters.ts';
import { hasError, isDone, isGone, says } from '../looks.ts';
import { configMap, scenario, type Stage, type Team } from '../scenario.ts';

/** A map that names its namespace, so that nobody else decides it. */
const mapIn = ({ namespace }: Team, name: string): string =>
  `${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { a: 'one' } })}\n`;

const twoTeams = async ({ team }: Stage): Promise<readonly [Team, Team]> => {
  const teams = [await team('user'), await team('user')] as const;
  for (const one of teams) await one.repository.commit({ 'app/map.yaml': configMap(one.namespace, { a: 'one' }) });
  return teams;
};

/** An environment of a team on Argo CD's own cluster: with a token of an account of its own, for these namespaces. */
const ownAccount = async (stage: Stage, team: Team, namespaces?: readonly Team[]): Promise<void> => {
  const names = namespaces?.map(({ namespace }) => namespace);
  const place = placeOf(here, team.namespace);
  const token = await createAccount(stage, place, { name: 'argocd', rights: names ?? 'all' });
  await putToken(team, 'mine', { cluster: here, token });
  await makeEnvironment(team, 'mine', { cluster: here, ...(names && { namespaces: names }) });
};

const to = ({ namespace }: Team) => ({ destination: { environment: 'mine', namespace } });

// An environment of a cluster that was there before may not be reached from here.
describe.skipIf(inject('endToEnd').elsewhere === undefined)('two users', () => {
  scenario("without an environment, neither deploys to the other's namespace", async (stage) => {
    const [one, two] = await twoTeams(stage);
    await one.repository.commit({ 'other/map.yaml': mapIn(two, 'foreign') });
    await one.create();
    await two.create();
    await one.create({ name: 'other', path: 'other' });
    await stage.step('both are Synced and Healthy', () => Promise.all([isDone(one), isDone(two)]));
    await stage.step('the foreign namespace is refused', () =>
      says(one, new RegExp(`namespace ${two.namespace} is not permitted in project`), 'other'),
    );
    expect(await two.configMap('foreign')).toBeUndefined();
  });

  scenario("with a cluster-wide environment, one deploys to the other's namespace", async (stage) => {
    const [one, two] = await twoTeams(stage);
    await ownAccount(stage, one);
    await stage.step('connected', () => isConnected(one, 'mine'));
    await one.create(to(two));
    await two.create();
    await stage.step('both are Synced and Healthy', () => Promise.all([isDone(one), isDone(two)]));
    expect(await two.configMap(one.namespace)).toEqual({ a: 'one' });
    expect(await two.configMap(two.namespace)).toEqual({ a: 'one' });
    await one.remove();
    await stage.step('what one deployed is gone', async () => (await two.configMap(one.namespace)) === undefined);
    expect(await two.configMap(two.namespace)).toEqual({ a: 'one' });
    await stage.step('gone', () => isGone(one));
  });

  scenario("with environments of one namespace each, neither deploys to the other's", async (stage) => {
    const [one, two] = await twoTeams(stage);
    for (const team of [one, two]) {
      await ownAccount(stage, team, [team]);
      await stage.step('connected', () => isConnected(team, 'mine'));
      await team.create(to(team));
    }
    await one.create({ name: 'other', ...to(two) });
    await two.create({ name: 'other', ...to(one) });
    await stage.step('both are Synced and Healthy', () => Promise.all([isDone(one), isDone(two)]));
    for (const team of [one, two]) {
      await stage.step('the foreign namespace is refused', () => hasError(team, /is not managed/, 'other'));
    }
    expect(await two.configMap(one.namespace)).toBeUndefined();
    expect(await one.configMap(two.namespace)).toBeUndefined();
  });

  scenario('one gives the other rights in its namespace, and takes them back', async (stage) => {
    const [one, two] = await twoTeams(stage);
    await ownAccount(stage, one, [two]);
    await stage.step('connected', () => isConnected(one, 'mine'));
    await one.create(to(two));
    await stage.step('Synced and Healthy', () => isDone(one));
    expect(await two.configMap(one.namespace)).toEqual({ a: 'one' });
    await here.kubectl(['-n', two.namespace, 'delete', 'rolebinding', `${one.namespace}-argocd`]);
    await stage.step('the environment tells', () =>
      environmentSays(one, 'mine', /Provided service account does not have permission to access resources/),
    );
  });
});
