// Many schedules, some side by side: each has a database of its own while it runs.
import { createSimulationDatabase, type SimulationDatabase } from './database.ts';
import { runSchedule, type ScheduleOptions, type ScheduleResult } from './schedule.ts';

/** Side by side: while one waits for the database, another one goes on. */
const AT_ONCE = 3;

/** What schedules run on. */
export interface ScheduleRunner {
  /** Runs the schedules of `count` seeds from `first` on; the results come in the order of their ends. */
  run(
    seeds: { readonly first: number; readonly count: number },
    options: Omit<ScheduleOptions, 'seed' | 'database'>,
    onResult: (result: ScheduleResult) => void,
  ): Promise<void>;
  stop(): Promise<void>;
}

/** Creates a runner on the server that the superuser's URL names. */
export const createScheduleRunner = async (serverUrl: string): Promise<ScheduleRunner> => {
  const databases: SimulationDatabase[] = [];
  for (let made = 0; made < AT_ONCE; made += 1) databases.push(await createSimulationDatabase(serverUrl));
  return {
    async run({ first, count }, options, onResult) {
      let next = first;
      const lane = async (database: SimulationDatabase): Promise<void> => {
        while (next < first + count) {
          const seed = next;
          next += 1;
          onResult(await runSchedule({ ...options, seed, database }));
        }
      };
      await Promise.all(databases.map(lane));
    },
    stop: async () => void (await Promise.all(databases.map((database) => database.stop()))),
  };
};
