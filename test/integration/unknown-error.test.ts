// Trouble of ours: the team reads that there is some and that it is tried again, and nothing of what it is.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { aDeployment, conditionOf, deploymentsOf } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { aSyncRun, syncConditionOf, syncRunsOf } from '../kit/sync-runs.ts';
import { createWorld, type World } from '../kit/world.ts';

let world: World;
let namespace: string;
let count = 0;
const message = 'an unknown error occurred';

beforeAll(async () => {
  world = await createWorld();
  await world.start('backend');
  await world.start('agent');
});
afterAll(() => world.stop());
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = (name = 'app') => ({ namespace, name });

/** Lets the database refuse each new row of a table, until `run` has ended. */
const refusing = async (table: string, run: () => Promise<void>): Promise<void> => {
  await world.database.script(`
    create function refuse() returns trigger language plpgsql as $$ begin raise 'never mind why'; end $$;
    create trigger refuse before insert on ${table} for each row execute function refuse();`);
  try {
    await run();
  } finally {
    await world.database.script('drop function refuse() cascade');
  }
};

it('a deployment whose rows are refused says so without the reason, and is deployed once they are not', async () => {
  const deployment = aDeployment(ref());
  await refusing('application', async () => {
    await world.apply(deployment);
    const shown = await deploymentsOf(world).withReason(ref(), 'ErrorOccurred', 'ErrorOccurred');
    expect(conditionOf(shown, 'ErrorOccurred')).toMatchObject({ status: 'True', message });
    expect(JSON.stringify(shown.status)).not.toContain('never mind why');
  });
  const resolved = await deploymentsOf(world).withReason(ref(), 'ErrorOccurred', 'ErrorOccurredResolved');
  await deploymentsOf(world).deployed(resolved);
});

it('a sync run whose rows are refused says so without the reason, and is ordered once they are not', async () => {
  const deployed = await world.apply(aDeployment({ ...ref(), type: 'manual' }));
  await deploymentsOf(world).deployed(deployed);
  await world.quiet();
  await refusing('syncoperation', async () => {
    await syncRunsOf(world).create(aSyncRun({ namespace, revision: 'refused-first' }));
    const shown = await syncRunsOf(world).withMessage(ref('sync'), 'ErrorOccurred', message);
    expect(syncConditionOf(shown, 'ErrorOccurred')).toMatchObject({ status: 'True', reason: 'ErrorOccurred' });
    expect(JSON.stringify(shown.status)).not.toContain('never mind why');
  });
  const ordered = () => world.database.sql(`select 1 from syncoperation where revision = 'refused-first'`);
  await eventually('it is ordered', async () => (await ordered()).length === 1);
});

it('a deployment that Argo CD does not accept shows what Argo CD says', async () => {
  const deployed = await world.apply(aDeployment(ref()));
  await deploymentsOf(world).deployed(deployed);
  const conditions = [{ type: 'InvalidSpecError', message: 'application destination is not permitted' }];
  await deploymentsOf(world).patchApplication(deployed, { status: { conditions } });
  const shown = await deploymentsOf(world).withReason(ref(), 'InvalidSpecError', 'InvalidSpecError');
  expect(conditionOf(shown, 'InvalidSpecError')).toMatchObject({ status: 'True', message: conditions[0]?.message });
});
