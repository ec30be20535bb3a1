// Two hundred schedules of users and faults end in agreement, and a bug does not go unseen.
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type {} from '../kit/database-server.ts';
import type { ScheduleResult } from './schedule.ts';
import { createScheduleRunner, type ScheduleRunner } from './schedules.ts';

let runner: ScheduleRunner;
beforeAll(async () => {
  runner = await createScheduleRunner(inject('databaseServerUrl'));
});
afterAll(() => runner.stop());

const resultsOf = async (first: number, count: number, options = {}): Promise<readonly ScheduleResult[]> => {
  const results: ScheduleResult[] = [];
  await runner.run({ first, count }, options, (result) => results.push(result));
  return results;
};

const GROUP = 25;
const groups = Array.from({ length: 8 }, (_, index) => 1 + index * GROUP);

it.each(groups)(
  'whatever fails meanwhile, all agrees in the end, and nothing is deleted unasked: 25 schedules from seed %i',
  { timeout: 180_000 },
  async (first) => {
    const results = await resultsOf(first, GROUP);
    const failed = results.filter(({ wrongs }) => wrongs.length > 0);
    expect(
      failed.map(({ seed, wrongs }) => `seed ${seed}: ${wrongs.join('; ')}`),
      'npm run test:faults -- --story --seed <seed> tells more',
    ).toEqual([]);
  },
);

// Each of these went another way once.
it.each([3, 12, 75])('a schedule goes the same way each time: seed %i', async (seed) => {
  const [one] = await resultsOf(seed, 1);
  const [other] = await resultsOf(seed, 1);
  expect(other?.story).toEqual(one?.story);
  expect(other?.trace).toEqual(one?.trace);
  expect(one?.steps).toBeGreaterThan(100);
});

it('when reads and watches lie, deletions that nobody asked for are seen', { timeout: 120_000 }, async () => {
  const wrongs = (await resultsOf(1, 12, { bug: true })).flatMap((result) => result.wrongs);
  expect(wrongs).toContainEqual(expect.stringMatching(/the row of .* was deleted, and nobody asked for that/));
  expect(wrongs).toContainEqual(expect.stringMatching(/the Application of .* was deleted, and nobody asked for that/));
});
