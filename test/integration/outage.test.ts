// The database or the API server goes away, at the start or later: the service waits, says so, and goes on by itself.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { startCuttingProxy } from '../kit/cutting-proxy.ts';
import { withDatabaseProxy } from '../kit/database-proxy.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let deployment: GitOpsDeployment;
let count = 0;
const ref = { namespace: 'team-a', name: 'app' };

/** A change arrives in Argo CD: everything on its way works. */
const works = async (): Promise<void> => {
  const path = `path-${(count += 1)}`;
  deployment = await world.apply(aDeployment({ ...ref, path }));
  await eventually(`${path} has arrived`, async () => {
    return (await deployments.application(deployment))?.spec.source?.path === path;
  });
};
const withHalves = async (options: HalfOptions, run: (halves: readonly RunningHalf[]) => Promise<void>) => {
  const halves = await Promise.all([world.start('backend', options), world.start('agent', options)]);
  try {
    await run(halves);
  } finally {
    await Promise.all(halves.map((half) => half.process.stop()));
  }
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  await world.createNamespace(ref.namespace);
});
afterAll(() => world.stop());

describe('the database', () => {
  it('that ends every session is connected to again, notifications included', async () => {
    await withHalves({}, async () => {
      await works();
      for (let round = 0; round < 3; round += 1) {
        await world.database.sql(
          'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
        );
        await works();
      }
    });
  });

  it('that is away for a while loses nothing: what changed meanwhile arrives, a deletion too', async () => {
    await withDatabaseProxy(world.database.connection.url, async (proxy) => {
      await withHalves({ databaseUrl: proxy.url }, async ([backend]) => {
        await works();
        proxy.refuse(true);
        const changed = await world.apply(aDeployment({ ...ref, path: 'meanwhile' }));
        const other = await world.apply(aDeployment({ ...ref, name: 'other' }));
        await eventually('it is tried', async () => ((await backend?.passes('deployment')) ?? 0) > 3);
        await world.client.delete(gitOpsDeployments, { ...ref, name: 'other' });
        proxy.refuse(false);
        await eventually('the change has arrived', async () => {
          return (await deployments.application(changed))?.spec.source?.path === 'meanwhile';
        });
        expect(await deployments.application(other)).toBeUndefined();
        await works();
      });
    });
  });

  it('that is away at the start is waited for', async () => {
    await withDatabaseProxy(world.database.connection.url, async (proxy) => {
      proxy.refuse(true);
      const starting = world.start('backend', { databaseUrl: proxy.url });
      const before = await deployments.get(ref);
      await world.apply(aDeployment({ ...ref, path: 'early' }));
      proxy.refuse(false);
      const backend = await starting;
      const agent = await world.start('agent');
      await works();
      expect(before?.metadata.uid).toBe((await deployments.get(ref))?.metadata.uid);
      await backend.process.stop();
      await agent.process.stop();
    });
  });
});

describe('the API server', () => {
  const port = () => Number(new URL(world.api.url).port);

  it('that cuts every connection is connected to again', async () => {
    const proxy = await startCuttingProxy(port());
    await withHalves({ apiPort: proxy.port }, async () => {
      for (let round = 0; round < 3; round += 1) {
        proxy.refuse(true);
        proxy.refuse(false);
        await works();
      }
    });
    await proxy.stop();
  });

  it('that is away for a while loses nothing: what changed meanwhile arrives, a deletion too', async () => {
    const proxy = await startCuttingProxy(port());
    await withHalves({ apiPort: proxy.port }, async () => {
      const other = await world.apply(aDeployment({ ...ref, name: 'other' }));
      await deployments.deployed(other);
      await works();
      proxy.refuse(true);
      const changed = await world.apply(aDeployment({ ...ref, path: 'meanwhile' }));
      await world.client.delete(gitOpsDeployments, { ...ref, name: 'other' });
      proxy.refuse(false);
      await deployments.cleanUp(other);
      await eventually('the change has arrived', async () => {
        return (await deployments.application(changed))?.spec.source?.path === 'meanwhile';
      });
      await works();
    });
    await proxy.stop();
  });
});

describe('each half', () => {
  it('does without the other for a while, and what was wanted meanwhile arrives', async () => {
    const backend = await world.start('backend');
    const waiting = await world.apply(aDeployment({ ...ref, path: 'no-agent' }));
    await eventually('it is in the rows', async () => {
      const rows = await world.database.sql(`select 1 from application where spec_field like '%path: no-agent%'`);
      return rows.length === 1;
    });
    await backend.process.stop();
    const agent = await world.start('agent');
    await eventually('the agent goes by the rows', async () => {
      return (await deployments.application(waiting))?.spec.source?.path === 'no-agent';
    });
    await agent.process.stop();
  });
});
