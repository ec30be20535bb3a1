// Two hundred schedules of users and faults end in agreement, and a bug does not go unseen.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type {} from '../kit/database-server.ts';
import { createSimulationDatabase, type SimulationDatabase } from './database.ts';
import { runSchedule } from './schedule.ts';

let database: SimulationDatabase;
beforeAll(async () => {
  database = await createSimulationDatabase(inject('databaseServerUrl'));
});
afterAll(() => database.stop());

const GROUP = 25;
const groups = Array.from({ length: 8 }, (_, index) => 1 + index * GROUP);

it.each(groups)(
  'whatever fails meanwhile, all agrees in the end, and nothing is deleted unasked: 25 schedules from seed %i',
  { timeout: 120_000 },
  async (first) => {
    const failed: string[] = [];
    for (let seed = first; seed < first + GROUP; seed += 1) {
      const { wrongs } = await runSchedule({ seed, database });
      if (wrongs.length > 0) failed.push(`seed ${seed}: ${wrongs.join('; ')}`);
    }
    expect(failed, 'npm run test:faults -- --story --seed <seed> tells more').toEqual([]);
  },
);

it('a schedule goes the same way each time', async () => {
  const [one, other] = [await runSchedule({ seed: 3, database }), await runSchedule({ seed: 3, database })];
  expect(other.story).toEqual(one.story);
  expect(other.trace).toEqual(one.trace);
  expect(one.steps).toBeGreaterThan(100);
});

it('when reads and watches lie, deletions that nobody asked for are seen', { timeout: 60_000 }, async () => {
  const wrongs: string[] = [];
  for (let seed = 1; seed <= 20; seed += 1) wrongs.push(...(await runSchedule({ seed, database, bug: true })).wrongs);
  expect(wrongs).toContainEqual(expect.stringMatching(/the row of .* was deleted, and nobody asked for that/));
  expect(wrongs).toContainEqual(expect.stringMatching(/the Application of .* was deleted, and nobody asked for that/));
});
