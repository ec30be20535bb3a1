// Operation objects: one that can't be made holds up no other.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { operationName, redeliveredAtAnnotation } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { aDeployment, orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let backend: RunningHalf;

interface Ticket {
  readonly state: string;
  readonly delivered_at: string | null;
}
const ticket = async (id: string): Promise<Ticket | undefined> =>
  (await world.database.sql<Ticket>(`select * from operation where operation_id = '${id}'`))[0];
const objectOf = (id: string) =>
  orAbsent(world.client.get(operations, { namespace: engineNamespace, name: operationName(id) }));
/** A row of ours for an engine of this cluster, as a pass writes it. */
const write = async (id: string, instance?: string): Promise<string> => {
  await world.database.sql(`
    insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
      last_state_update, state, dedupe_key)
    select '${id}', ${instance ? `'${instance}'` : 'gitopsengineinstance_id'}, '${id}', (select clusteruser_id
      from clusteruser order by seq_id limit 1), 'Application', now() at time zone 'UTC', now() at time zone 'UTC',
      'Waiting', '${id}'
    from gitopsengineinstance where namespace_name = '${engineNamespace}'`);
  return id;
};
const delivered = (id: string) =>
  eventually(`${id} is delivered`, async () => ((await ticket(id))?.delivered_at ? true : undefined));

/** A client that can't make the object of one Operation. */
const refuses =
  (id: string) =>
  (client: KubeClient): KubeClient => ({
    ...client,
    async create(resource, object, ...rest) {
      if (object.metadata.name === operationName(id)) throw new ApiError(500, { message: 'internal error' });
      return client.create(resource, object, ...rest);
    },
  });

beforeAll(async () => {
  world = await createWorld();
  backend = await world.start('backend');
  await world.createNamespace('team');
  await world.apply(aDeployment({ namespace: 'team' })); // makes the rows of the engine
  await eventually('it is delivered', async () => {
    const rows = await world.database.sql('select 1 from operation where delivered_at is not null');
    return rows.length === 1;
  });
  await world.database.sql(`
    insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
    select 'gone', 'no-such-namespace', 'gone-uid', enginecluster_id from gitopsengineinstance`);
  await backend.process.stop();
});
beforeEach(() => async () => {
  await backend.process.stop();
  await world.database.sql(`delete from operation where dedupe_key = operation_id`);
});
afterAll(() => world.stop());

describe('an Operation for an Argo CD whose namespace is gone', () => {
  it('counts as delivered, and those after it get their objects', async () => {
    const gone = await write(systemRandom.uuid(), 'gone');
    const after = await write(systemRandom.uuid());
    backend = await world.start('backend');
    await delivered(after);
    expect(await objectOf(after)).toBeDefined();
    await delivered(gone);
  });

  it('is shown again in vain, which keeps no other from being shown again', async () => {
    await write(systemRandom.uuid(), 'gone');
    const after = await write(systemRandom.uuid());
    backend = await world.start('backend');
    await eventually('the other is touched', async () => {
      return (await objectOf(after))?.metadata.annotations?.[redeliveredAtAnnotation];
    });
  });
});

describe('an Operation whose object can not be made', () => {
  it('holds up neither those after it nor those that are to be shown again', async () => {
    const bad = systemRandom.uuid();
    const stuck = await write(systemRandom.uuid());
    await world.database.sql(
      `update operation set delivered_at = now() at time zone 'UTC' - interval '1 hour',
        last_state_update = now() at time zone 'UTC' - interval '1 hour' where operation_id = '${stuck}'`,
    );
    await write(bad);
    const after = await write(systemRandom.uuid());
    backend = await world.start('backend', { client: refuses(bad) });
    await delivered(after);
    await eventually('the one that waits is made again', () => objectOf(stuck));
    await eventually('and touched', async () => {
      return (await objectOf(after))?.metadata.annotations?.[redeliveredAtAnnotation];
    });
    expect(await ticket(bad)).toMatchObject({ state: 'Waiting', delivered_at: null });
    await backend.process.stop();
    backend = await world.start('backend');
    await delivered(bad);
  });
});

describe('an Operation that had ended before its object was made, when the backend died', () => {
  it('gets its object and goes with it, also where the search for leftovers comes before that', async () => {
    const id = await write(systemRandom.uuid());
    await world.database.sql(`update operation set state = 'Completed' where operation_id = '${id}'`);
    let searched = false;
    backend = await world.start('backend', {
      gate: async (call, run) => {
        const result = await run();
        // The first search is over before the object is noted.
        if (call.name === 'operation-leftover') searched = true;
        if (call.name === 'operation-undelivered') await eventually('it was searched', () => searched);
        return result;
      },
    });
    await eventually('it is gone', async () => (await ticket(id)) === undefined);
    expect(await objectOf(id)).toBeUndefined();
  });
});

describe('an Operation that nothing waits for any more, and that was with the agent when the backend died', () => {
  it('goes when the agent has done it, and not at the next resync', async () => {
    const id = await write(systemRandom.uuid());
    backend = await world.start('backend');
    await delivered(id);
    await backend.process.stop();
    const searched = Promise.withResolvers<void>();
    backend = await world.start('backend', {
      gate: async (call, run) => {
        const result = await run();
        if (call.name === 'operation-leftover') searched.resolve();
        return result;
      },
    });
    await searched.promise;
    await eventually(
      'it is shown again',
      async () => (await objectOf(id))?.metadata.annotations?.[redeliveredAtAnnotation],
    );
    await world.quiet(); // whatever a start does is done
    expect(await ticket(id), 'the search for leftovers was too early').toBeDefined();
    await world.database.sql(`update operation set state = 'Completed' where operation_id = '${id}'`);
    await eventually('it is gone', async () => (await ticket(id)) === undefined);
    expect(await objectOf(id)).toBeUndefined();
  });
});
