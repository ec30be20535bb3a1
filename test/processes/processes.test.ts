import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openSession } from '../../src/db/pool.ts';
import { leases } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { withDatabaseProxy } from '../kit/database-proxy.ts';
import { aDeployment, deploymentsOf } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createGitRepository, type GitRepository } from '../kit/git-repository.ts';
import { engineNamespace } from '../kit/world.ts';
import { createInstallation, databaseUrl, type Installation, type ServiceProcess } from './installation.ts';

/** Texts that nobody may ever see; the process is given them. */
const canary = 'canary-0b1c2d3e4f';

let installation: Installation;
let repository: GitRepository;

beforeAll(async () => {
  [installation, repository] = await Promise.all([createInstallation(), createGitRepository()]);
  await installation.world.startEngine();
  await installation.world.createNamespace('team');
});
afterEach(() => installation.stopRest());
afterAll(async () => {
  await installation[Symbol.asyncDispose]();
  await repository.remove();
});

/** The database as the original's variables say it, by way of an account of its own. */
const asTheOriginal = async (): Promise<Record<string, string>> => {
  const { connection, script } = installation.world.database;
  const { hostname, port, pathname } = new URL(connection.url);
  const user = `user_${pathname.slice(1)}`;
  await script(`create role ${user} login superuser password '${canary}'`);
  return {
    DB_ADDR: hostname,
    DB_PASS: canary,
    POSTGRESQL_DATABASE: pathname.slice(1),
    DEV_ONLY_ALLOW_NON_TLS_CONNECTION_TO_POSTGRESQL: 'true',
    ARGO_CD_NAMESPACE: engineNamespace,
    MANAGED_GITOPS_DATABASE_PORT: port,
    MANAGED_GITOPS_DATABASE_USER: user,
  };
};

/** Each deploys an object of its own: two that deploy the same take it from each other for ever. */
const apply = async (name: string) => {
  await repository.commit({
    [`${name}/map.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-${name}\ndata: {a: b}\n`,
  });
  return installation.world.apply(aDeployment({ namespace: 'team', name, path: name, repoURL: repository.folder }));
};

const ready = (name: string) =>
  deploymentsOf(installation.world).withReason({ namespace: 'team', name }, 'Ready', 'Ready');

const holderOf = async (half: string): Promise<string> => {
  const lease = await installation.world.client.get(leases, {
    namespace: engineNamespace,
    name: `managed-gitops-${half}`,
  });
  return lease.spec?.holderIdentity ?? '';
};

const stop = async (...processes: readonly ServiceProcess[]): Promise<void> => {
  for (const one of processes) one.kill('SIGTERM');
  for (const one of processes) expect(await one.whenEnded).toMatchObject({ code: 0, signal: null, out: '' });
};

const valueOf = (metrics: string, name: string): number =>
  metrics
    .split('\n')
    .filter((line) => line.startsWith(name))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);

describe('backend and agent', { timeout: 60_000 }, () => {
  it("do the main job with the original's variables, say what they are set to, and give no secret away", async () => {
    const environment = await asTheOriginal();
    const backend = installation.start('backend', {
      environment: { ...environment, ENABLE_APPPROJECT_ISOLATION: 'true' },
    });
    const agent = installation.start('agent', { environment });
    await Promise.all([backend.whenReady(), agent.whenReady()]);
    await apply('one');
    await ready('one');

    expect(backend.logged('starting')[0]?.['config']).toMatchObject({
      'database-host': '127.0.0.1',
      'database-password': '***',
      'database-name': environment['POSTGRESQL_DATABASE'],
      'database-plain': true,
      'argocd-namespace': engineNamespace,
      'enable-appproject-isolation': true,
    });
    const pages = await Promise.all(
      [backend, agent].flatMap((one) => (['/healthz', '/readyz', '/metrics'] as const).map((path) => one.probe(path))),
    );
    expect(pages.map(({ code }) => code)).toEqual([200, 200, 200, 200, 200, 200]);
    for (const metrics of [pages[2]?.body ?? '', pages[5]?.body ?? '']) {
      expect(valueOf(metrics, 'controller_runtime_reconcile_total{')).toBeGreaterThan(0);
      expect(valueOf(metrics, 'rest_client_requests_total{')).toBeGreaterThan(0);
      expect(valueOf(metrics, 'sql_transactions_total{')).toBeGreaterThan(0);
      expect(metrics).toMatch(/^workqueue_depth\{.*\} \d+$/m);
      expect(metrics).toContain('process_cpu_seconds_total');
    }

    await installation.world.quiet(); // the Operation is collected: who is stopped before leaves that to the next start
    await stop(backend, agent);
    expect([await holderOf('backend'), await holderOf('agent')]).toEqual(['', '']);
    const said =
      [backend, agent].map((one) => one.out() + one.errors()).join('') + pages.map(({ body }) => body).join('');
    expect(said).not.toContain(canary);
    expect(installation.token).not.toBe('');
    expect(said).not.toContain(installation.token);
  });

  it('write nothing when they are started again', async () => {
    const before = await installation.world.quiet();
    const processes = [installation.start('backend'), installation.start('agent')];
    await Promise.all(processes.map((one) => one.whenReady()));
    await eventually('everything was looked at', async () => {
      const pages = await Promise.all(processes.map((one) => one.probe('/metrics')));
      return pages.every(({ body }) => valueOf(body, 'controller_runtime_reconcile_total{') > 0);
    });
    expect(await installation.world.quiet()).toEqual(before);
    await stop(...processes);
    expect(await installation.world.quiet()).toEqual(before);
  });

  it('are one process when that is wanted', async () => {
    const all = installation.start('all');
    await all.whenReady();
    await apply('two');
    await ready('two');
    await stop(all);
    expect([await holderOf('backend'), await holderOf('agent')]).toEqual(['', '']);
  });

  it('log lines of JSON with keys from the one vocabulary', async () => {
    const all = installation.start('all', { flags: ['--log-level=debug'] });
    await all.whenReady();
    await apply('three');
    await ready('three');
    await stop(all);
    const text = await readFile(new URL('../../src/lib/log.ts', import.meta.url), 'utf8');
    const vocabulary = [...text.matchAll(/^ {2}readonly (\w+)\?:/gm)].map(([, key]) => key);
    const known = ['level', 'ts', 'msg', ...vocabulary];
    expect(all.log().length).toBeGreaterThan(5);
    expect(all.log().flatMap((line) => Object.keys(line).filter((key) => !known.includes(key)))).toEqual([]);
    expect(all.log()[0]).toMatchObject({ level: 'info', msg: 'starting', component: 'all' });
  });

  it('of two backends one works, and the other goes on when that one is stopped', async () => {
    const first = installation.start('backend');
    await first.whenReady();
    await eventually('the first works', () => holderOf('backend'));
    const holder = await holderOf('backend');
    const second = installation.start('backend');
    const agent = installation.start('agent');
    await Promise.all([second.whenReady(), agent.whenReady()]);
    await apply('four');
    await ready('four');
    expect(await holderOf('backend')).toBe(holder);
    expect(valueOf((await second.probe('/metrics')).body, 'controller_runtime_reconcile_total{')).toBe(0);
    await stop(first);
    await apply('five');
    await ready('five');
    expect(await holderOf('backend')).not.toBe(holder);
    await stop(second, agent);
  });

  it('one that is killed is replaced at once by the next one in its pod, and only by that', async () => {
    const first = installation.start('backend', { flags: ['--pod-uid=pod-1'] });
    await eventually('the first works', () => holderOf('backend'));
    const holder = await holderOf('backend');
    first.kill('SIGKILL');
    await first.whenEnded;
    const elsewhere = installation.start('backend', { flags: ['--pod-uid=pod-2'] });
    await elsewhere.says('waiting for the Lease');
    const next = installation.start('backend', { flags: ['--pod-uid=pod-1'] });
    await eventually('the next one works', async () => {
      const { body } = await next.probe('/metrics');
      return valueOf(body, 'controller_runtime_reconcile_total{') > 0;
    });
    expect(await holderOf('backend')).toBe(holder);
    expect(next.log().filter(({ msg }) => String(msg).startsWith('waiting for the Lease'))).toEqual([]);
    await stop(next, elsewhere);
  });

  it('beside the original they wait for its Leases, hold them, and write no condition that it does not know', async () => {
    const { client } = installation.world;
    const ofOriginal = { namespace: engineNamespace, name: '5a3f596c.redhat.com' };
    await client.create(leases, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: ofOriginal,
      spec: { holderIdentity: 'original', leaseDurationSeconds: 3600, renewTime: '2026-01-01T00:00:00.000000Z' },
    });
    const backend = installation.start('backend', { flags: ['--compat=original'] });
    const agent = installation.start('agent', { flags: ['--compat=original'] });
    await backend.says('waiting for the Lease, which original holds');
    expect(valueOf((await backend.probe('/metrics')).body, 'controller_runtime_reconcile_total{')).toBe(0);
    await client.delete(leases, ofOriginal);
    await apply('six');
    const deployment = await eventually('it is Synced', async () => {
      const seen = await deploymentsOf(installation.world).get({ namespace: 'team', name: 'six' });
      return seen?.status?.sync?.status === 'Synced' ? seen : undefined;
    });
    expect(deployment.status?.conditions?.map(({ type }) => type) ?? []).not.toContain('Ready');
    const held = async (name: string) =>
      (await client.get(leases, { namespace: engineNamespace, name })).spec?.holderIdentity ?? '';
    expect(await held(ofOriginal.name)).toBe(await holderOf('backend'));
    expect(await held('11d017ea.redhat.com')).toBe(await holderOf('agent'));
    await stop(backend, agent);
    expect([await held(ofOriginal.name), await held('11d017ea.redhat.com')]).toEqual(['', '']);
  });
});

describe('the schema', { timeout: 60_000 }, () => {
  it('is made once by migrate; an agent that came first has waited for it and says so', async () => {
    await using empty = await createInstallation({ migrated: false });
    const agent = empty.start('agent');
    await eventually('the agent waits', async () => {
      const { code, body } = await agent.probe('/readyz');
      return code === 503 && body.includes('database: waiting for the database and its schema');
    });
    await agent.says(/the database lacks 0001\S*, .*: start the backend or run `managed-gitops migrate`/);

    const counts: unknown[] = [];
    for (const message of ['the database was migrated', 'the database was up to date']) {
      const migrate = empty.start('migrate');
      expect(await migrate.whenEnded).toMatchObject({ code: 0, out: '' });
      counts.push(migrate.logged(message)[0]?.['count']);
    }
    expect(counts).toEqual([expect.any(Number), 0]);
    await agent.whenReady();
    expect(agent.log().filter((line) => String(line['msg']).startsWith('the database lacks'))).toHaveLength(1);
    await stop(agent);
  });

  it('is waited for also while the database goes away and comes back', async () => {
    await using empty = await createInstallation({ migrated: false });
    await withDatabaseProxy(empty.world.database.connection.url, async (proxy) => {
      const agent = empty.start('agent', { environment: databaseUrl(proxy.url) });
      await agent.says('the database lacks');
      proxy.refuse(true);
      await agent.says('waiting for the database');
      proxy.refuse(false);
      await agent.says('the database is there');
      expect(await empty.start('migrate').whenEnded).toMatchObject({ code: 0 });
      await agent.whenReady();
      await stop(agent);
    });
  });

  it('is not touched by processes that are stopped while they wait for another one to make it', async () => {
    await using empty = await createInstallation({ migrated: false });
    const { connection, sql } = empty.world.database;
    const holder = await openSession({
      connection,
      name: 'holder',
      to: 'sql',
      gate: openGate,
      clock: systemClock,
      metrics: createMetrics(),
      settings: { statementMs: 0 },
    });
    try {
      await holder.script('lock', 'select pg_advisory_lock(7315902001)');
      const [backend, migrate] = [empty.start('backend'), empty.start('migrate')];
      await Promise.all([backend, migrate].map((one) => one.says('another process is migrating this database')));
      for (const one of [backend, migrate]) one.kill('SIGTERM');
      expect(await backend.whenEnded).toMatchObject({ code: 0, signal: null });
      expect(await migrate.whenEnded).toMatchObject({ code: 1, signal: null });
      expect(migrate.errors()).toMatch(/^managed-gitops: stopped by SIGTERM$/m);
    } finally {
      await holder.close();
    }
    expect(await sql(`select to_regclass('managed_gitops_migrations') as book`)).toEqual([{ book: null }]);
  });

  it('of a newer release is refused by each, in one line', async () => {
    await using newer = await createInstallation();
    await newer.world.database.script(
      `insert into managed_gitops_migrations (name, checksum, applied_at, breaking)
       values ('9999_future', 'x', now() at time zone 'UTC', 'rows have moved')`,
    );
    const ends = (['backend', 'agent', 'migrate'] as const).map((kind) => newer.start(kind).whenEnded);
    for (const { code, errors } of await Promise.all(ends)) {
      expect(code).toBe(1);
      expect(errors.split('\n').filter((line) => !line.startsWith('{'))).toEqual([
        "managed-gitops: a newer release migrated the database, and this one can't run on it: 9999_future (rows have moved)",
        '',
      ]);
    }
  });
});
