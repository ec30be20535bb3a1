// What an environment says of itself when the trouble is ours: the database, the API server, a missing Argo CD. And that
// it goes on by itself.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { withDatabaseProxy } from '../kit/database-proxy.ts';
import { aKubeconfig, becomes, createEnvironment, ownConditions, putKubeconfig } from '../kit/environments.ts';
import { eventually } from '../kit/eventually.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { createWorld, engineNamespace, type HalfOptions, type World } from '../kit/world.ts';

let world: World;
let remote: RemoteCluster;
let namespace: string;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
  remote = await startRemoteCluster();
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = (name = 'prod') => ({ namespace, name });
const environment = async (name?: string) => {
  await putKubeconfig(world, ref(name), aKubeconfig({ server: remote.url, token: remote.token }));
  await createEnvironment(world, ref(name), { apiURL: remote.url });
};
const says = async (text: string, name?: string) => {
  await becomes(world, 'environment', { ...ref(name), condition: new RegExp(`=${text}$`) });
  expect(await ownConditions(world, 'environment', ref(name))).toEqual([`ConnectionInitializationSucceeded=${text}`]);
};
const withBackend = async (options: HalfOptions, run: () => Promise<void>): Promise<void> => {
  const backend = await world.start('backend', options);
  try {
    await run();
  } finally {
    await backend.process.stop();
  }
};

/** Lets the database refuse each row of a table, until `run` has ended. */
const refusing = async (table: string, run: () => Promise<void>): Promise<void> => {
  await world.database.script(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'not today'; end $$;
    create trigger refuse before insert on ${table} for each row execute function refuse();`);
  try {
    await run();
  } finally {
    await world.database.script('drop function refuse() cascade');
  }
};

describe('an environment', () => {
  it('says that the rows of its credentials were not taken, and is connected once they are', async () => {
    await withBackend({}, async () => {
      await environment('first'); // with it come the rows of Argo CD's own cluster
      await says('True Succeeded', 'first');
      await refusing('clustercredentials', async () => {
        await environment();
        await says('Unknown UnableToCreateClusterCredentials an unknown error occurred');
      });
      await says('True Succeeded');
    });
  });

  it('says that the database has refused something else, and is connected once it does not', async () => {
    await withBackend({}, async () => {
      await refusing('clusteraccess', async () => {
        await environment();
        await says('Unknown DatabaseError an unknown error occurred');
      });
      await says('True Succeeded');
    });
  });

  it.each(['true', 'false'])(
    'says that the database is away, and is connected once it is back (standard conditions: %s)',
    async (standard) => {
      await withDatabaseProxy(world.database.connection.url, async (proxy) => {
        await withBackend({ databaseUrl: proxy.url, flags: { 'standard-conditions': standard } }, async () => {
          await environment('first');
          await says('True Succeeded', 'first');
          proxy.refuse(true);
          await environment();
          await says('Unknown DatabaseError an unknown error occurred');
          await says('True Succeeded', 'first');
          proxy.refuse(false);
          await says('True Succeeded');
        });
      });
    },
  );

  it('says that the cluster of the service refuses an answer, and is connected once it gives one', async () => {
    let refuses = true;
    const client = (inner: KubeClient): KubeClient => ({
      ...inner,
      get: async (resource, where, options) => {
        if (refuses && resource.kind === 'Namespace') throw new ApiError(403, { reason: 'Forbidden', message: 'no' });
        return inner.get(resource, where, options);
      },
    });
    await withBackend({ client }, async () => {
      await environment();
      await says('False KubernetesError an unknown error occurred');
      refuses = false;
      await says('True Succeeded');
    });
  });

  it('says that there is no Argo CD, and is connected once there is one', async () => {
    await withBackend({ flags: { 'argocd-namespace': 'late', 'lease-namespace': engineNamespace } }, async () => {
      await environment();
      await says('False KubernetesError an unknown error occurred');
      await world.createNamespace('late');
      await says('True Succeeded');
    });
  });

  it('that is settled is not touched while the database is away', async () => {
    await withDatabaseProxy(world.database.connection.url, async (proxy) => {
      const backend = await world.start('backend', { databaseUrl: proxy.url, flags: { resync: '100ms' } });
      await environment();
      await says('True Succeeded');
      const before = await ownConditions(world, 'environment', ref());
      proxy.refuse(true);
      const passes = await backend.passes('environment');
      await eventually('it is looked at', async () => (await backend.passes('environment')) > passes + 3);
      expect(await ownConditions(world, 'environment', ref())).toEqual(before);
      proxy.refuse(false);
      await backend.process.stop();
    });
  });
});
