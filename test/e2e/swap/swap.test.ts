// The original's halves and ours take turns on one database that the original has made, under changes.
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, inject } from 'vitest';
import { applications } from '../../../src/api/argocd/application.ts';
import { readMigrations } from '../../../src/db/migrations.ts';
import { parseYaml } from '../../../src/lib/yaml.ts';
import { originalSpecField, originalStatusBlob, type OriginalApplication } from '../../kit/original-texts.ts';
import { createPrograms, type Program } from '../../kit/programs.ts';
import { isDone, isGone } from '../looks.ts';
import { client, configMap, kubectl, scenario, script, sql, type Stage, type Team } from '../scenario.ts';
import { installService, type Half } from '../service.ts';
import { originalPrograms, prepareOriginal } from './original.ts';

const run = inject('endToEnd');
const root = fileURLToPath(new URL('../../..', import.meta.url));

type Whose = 'original' | 'ours';
/** What is exchanged, one after the other: forward, and back again. */
const exchanges: readonly (readonly [Half, Whose])[] = [
  ['agent', 'ours'],
  ['backend', 'ours'],
  ['agent', 'original'],
  ['backend', 'original'],
];

/** Every Operation that is ordered from now on, whoever orders it and however soon it is collected. */
const watchOrders = `
  create table swap_orders (resource_id text not null);
  create function swap_note() returns trigger language plpgsql as
    $$ begin insert into swap_orders values (new.resource_id); return new; end $$;
  create trigger swap_note after insert on operation for each row execute function swap_note();`;

const applicationIdOf = async (team: Team, name: string): Promise<string> => {
  const uid = (await team.get(name))?.metadata.uid ?? '';
  const [row] = await sql<{ id: string }>(
    `select application_id as id from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = '${uid}'`,
  );
  return row?.id ?? '';
};

/** Both halves of either maker, one running at a time for each half. */
const startHalves = async (stack: AsyncDisposableStack) => {
  const files = originalPrograms(process.env);
  if (!files) throw new Error('this suite runs where ORIGINAL_BACKEND and ORIGINAL_AGENT are set');
  const programs = await createPrograms('swap');
  stack.defer(programs.stop);
  const { kubeconfig, databaseUrl, argocdNamespace } = run;
  const original = await prepareOriginal({
    files,
    programs,
    kubeconfig,
    databaseUrl,
    argocdNamespace,
    migrations: process.env['ORIGINAL_MIGRATIONS'],
  });
  stack.defer(original.stop);
  const compat = ['--compat=original'];
  const ours = await installService({
    root,
    programs,
    kubectl,
    kubeconfig,
    databaseUrl,
    flags: { backend: compat, agent: compat },
  });
  const running = new Map<Half, Program>();
  return async (half: Half, whose: Whose): Promise<void> => {
    await running.get(half)?.end('SIGTERM');
    running.set(half, await (whose === 'ours' ? ours : original).start(half));
  };
};

/** The fields of a stored status. */
const fieldsOf = (blob: Buffer): string[] => Object.keys(parseYaml(gunzipSync(blob).toString()) as object); // a document of fields

/** What both write for an Application is what the fixtures of the tests are made like. */
const expectLikeFixtures = async (team: Team, name: string): Promise<void> => {
  const deployment = await team.get(name);
  const { apiVersion, kind, metadata, spec, status } = await client.get(applications, {
    namespace: run.argocdNamespace,
    name: `gitopsdepl-${deployment?.metadata.uid}`,
  });
  const { repoURL = '', path = '', ...source } = spec.source ?? {};
  const application: OriginalApplication = {
    apiVersion,
    kind,
    metadata: { name: metadata.name, namespace: run.argocdNamespace },
    spec: { ...spec, source: { ...source, repoURL, path } },
    ...(status && { status }),
  };
  const [row] = await sql<{ spec: string; status: Buffer }>(
    `select spec_field as spec, argocd_application_status as status from application
       join applicationstate on applicationstate_application_id = application_id where name = '${metadata.name}'`,
  );
  expect(row?.spec).toBe(originalSpecField(application));
  // The original's agent writes everything that Argo CD says, ours what the service reads.
  const written = fieldsOf(row?.status ?? Buffer.of());
  expect(written).toEqual(expect.arrayContaining(['conditions', 'health', 'operationstate', 'resources', 'sync']));
  expect(fieldsOf(originalStatusBlob(application, ''))).toEqual(expect.arrayContaining(written));
};

/** Everything that was ordered has been done, and nothing of what was deleted is left. */
const isSettled = async (applicationCount: number): Promise<true> => {
  const [left] = await sql<{ applications: number; syncs: number; open: number }>(
    `select (select count(*)::int from application) as applications, (select count(*)::int from syncoperation) as syncs,
       (select count(*)::int from operation where state in ('Waiting', 'In_Progress')) as open`,
  );
  if (left?.applications === applicationCount && left.syncs === 0 && left.open === 0) return true;
  throw new Error(JSON.stringify(left));
};

/** What a team does after each exchange; it ends with the deployments that it began with. */
const change = async (
  team: Team,
  { step }: Stage,
  { turn, syncs }: { readonly turn: string; readonly syncs: boolean },
) => {
  const path = (await team.get('app'))?.spec?.source.path === 'app' ? 'other' : 'app';
  await team.patch('app', { spec: { source: { path } } });
  await step(`${turn}: another path`, () => isDone(team, { name: 'app', path }));
  await team.create({ name: 'short-lived', path: 'second' });
  await step(`${turn}: one more`, () => isDone(team, { name: 'short-lived' }));
  await team.remove('short-lived');
  await step(`${turn}: gone again`, () => isGone(team, 'short-lived'));
  if (!syncs) return; // the original's agent syncs by way of Argo CD's own API server, which does not run here
  const revision = await team.repository.commit({ 'manual/map.yaml': configMap('manual', { turn }) });
  await team.sync({ deployment: 'manual', revision });
  await step(`${turn}: synced by hand`, () => isDone(team, { name: 'manual', revision }));
  await team.removeSyncRun();
};

scenario('the original and ours take turns on a database of the original', async (stage) => {
  const { team, step } = stage;
  await using stack = new AsyncDisposableStack();
  const put = await startHalves(stack);
  if (!process.env['ORIGINAL_MIGRATIONS']) await script((await readMigrations())[0]?.text ?? '');
  await put('backend', 'original');
  await put('agent', 'original');
  const [one, two] = [await team(), await team('other')];
  for (const { repository } of [one, two]) {
    await repository.commit({
      'app/map.yaml': configMap('app', { from: 'app' }),
      'other/map.yaml': configMap('app', { from: 'other' }),
      'second/map.yaml': configMap('second', { a: '1' }),
      'manual/map.yaml': configMap('manual', { a: '1' }),
      'calm/map.yaml': configMap('calm', { a: '1' }),
    });
  }
  await one.create();
  await one.create({ name: 'manual', path: 'manual', type: 'manual' });
  await two.create({ syncOptions: ['CreateNamespace=true'], targetRevision: 'main' });
  for (const each of [one, two])
    await step('original, original: Synced and Healthy', () => isDone(each, { path: 'app' }));
  await expectLikeFixtures(one, 'app');
  await expectLikeFixtures(two, 'app');
  await script(watchOrders);

  let agent: Whose = 'original';
  for (const [half, whose] of exchanges) {
    const turn = `${half} is ${whose === 'ours' ? 'ours' : "the original's"}`;
    await sql('delete from swap_orders');
    await put(half, whose);
    if (half === 'agent') agent = whose;
    // What is new comes last: when it is done, all that was there has been looked at.
    await two.create({ name: 'calm', path: 'calm' });
    await step(`${turn}: a new one`, () => isDone(two, { name: 'calm' }));
    const ordered = await sql<{ id: string }>('select distinct resource_id as id from swap_orders');
    expect(ordered, turn).toEqual([{ id: await applicationIdOf(two, 'calm') }]);
    await expectLikeFixtures(two, 'calm');
    for (const each of [one, two]) await isDone(each);
    await change(one, stage, { turn, syncs: agent === 'ours' });
    await two.remove('calm');
    await step(`${turn}: all is settled`, () => isSettled(3));
  }
  await one.remove();
  await one.remove('manual');
  await two.remove();
  await step('nothing is left', () => isSettled(0));
});
