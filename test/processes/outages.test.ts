import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCuttingProxy } from '../kit/cutting-proxy.ts';
import { withDatabaseProxy } from '../kit/database-proxy.ts';
import { aDeployment, deploymentsOf, healthyStatus } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createInstallation, databaseUrl, type Installation, type ServiceProcess, type Start } from './installation.ts';

let installation: Installation;
let processes: ServiceProcess[];

beforeEach(async () => {
  installation = await createInstallation();
  await installation.world.createNamespace('team');
  processes = [];
});
afterEach(async () => {
  await installation[Symbol.asyncDispose]();
});

const startBoth = (options: Start): void => {
  processes = (['backend', 'agent'] as const).map((kind) => installation.start(kind, options));
};
const bothReady = () => Promise.all(processes.map((one) => one.whenReady()));

/** Waits until both say what they miss. */
const bothMiss = (what: RegExp) =>
  eventually(`both miss ${what}`, async () => {
    for (const one of processes) {
      const { code, body } = await one.probe('/readyz');
      if (code !== 503 || !what.test(body)) throw new Error(`${code}: ${body}`);
    }
    return true;
  });

const apply = (name: string) => installation.world.apply(aDeployment({ namespace: 'team', name }));

/** A deployment's whole way: its Application is made, and what Argo CD says of it comes back. */
const expectDone = async (deployment: Awaited<ReturnType<typeof apply>>): Promise<void> => {
  const { deployed, patchApplication, withReason } = deploymentsOf(installation.world);
  await patchApplication(deployment, { status: healthyStatus(await deployed(deployment)) });
  await withReason({ namespace: 'team', name: deployment.metadata.name }, 'Ready', 'Ready');
};

/** How often each of the two said this. */
const timesSaid = (message: string): number[] => processes.map((one) => one.logged(message).length);

const expectNoCrash = async (): Promise<void> => {
  for (const one of processes) one.kill('SIGTERM');
  for (const one of processes) expect(await one.whenEnded).toMatchObject({ code: 0, signal: null });
};

describe('the database', { timeout: 90_000 }, () => {
  it('may be away at the start and later: both wait, say so once, and go on by themselves', async () => {
    await withDatabaseProxy(installation.world.database.connection.url, async (proxy) => {
      proxy.refuse(true);
      startBoth({ environment: databaseUrl(proxy.url) });
      await bothMiss(/^database: waiting for the database/m);
      const early = await apply('early');
      proxy.refuse(false);
      await bothReady();
      await expectDone(early);
      expect(timesSaid('waiting for the database')).toEqual([1, 1]);
      expect(timesSaid('the database is there')).toEqual([1, 1]);

      proxy.refuse(true);
      const late = await apply('late');
      await bothMiss(/^database: /m);
      proxy.refuse(false);
      await expectDone(late);
      await bothReady();
      await expectNoCrash();
    });
  });
});

describe('a process that waits', { timeout: 30_000 }, () => {
  it('for a database that refuses its password says so without the password, and ends when it is told to', async () => {
    const url = new URL(installation.world.database.connection.url);
    url.password = 'canary-password';
    startBoth({ environment: databaseUrl(url.href) });
    await bothMiss(/^database: waiting for the database/m);
    for (const one of processes) await one.says('password authentication failed');
    await expectNoCrash();
    expect(processes.map((one) => one.errors()).join('')).not.toContain('canary-password');
  });

  it('for the API server ends when it is told to', async () => {
    startBoth({ apiPort: 1 });
    await bothMiss(/: waiting for the first listing$/m);
    await expectNoCrash();
  });
});

describe('the API server', { timeout: 90_000 }, () => {
  it('may be away at the start and later: both wait, say so once, and go on by themselves', async () => {
    const proxy = await startCuttingProxy(Number(new URL(installation.world.api.url).port));
    try {
      proxy.refuse(true);
      startBoth({ apiPort: proxy.port });
      await bothMiss(/: waiting for the first listing$/m);
      const early = await apply('early');
      proxy.refuse(false);
      await bothReady();
      await expectDone(early);

      proxy.refuse(true);
      await bothMiss(/: the API server does not answer$/m);
      const late = await apply('late');
      proxy.refuse(false);
      await expectDone(late);
      await bothReady();
      for (const one of processes) {
        const outages = one.log().filter(({ component, level }) => component === 'watcher' && level === 'warn');
        expect(outages.length).toBeGreaterThan(0);
        const perKind = Map.groupBy(outages, ({ resource, reason }) => `${String(resource)} ${String(reason)}`);
        // Each outage once for each kind that is watched, however often it was tried.
        expect(Math.max(...[...perKind.values()].map((lines) => lines.length))).toBeLessThanOrEqual(2);
      }
      await expectNoCrash();
    } finally {
      await proxy.stop();
    }
  });
});
