// The whole crash test of a half: records what the service calls, then has it die at each of these calls.
import { messageOf } from '../../src/lib/fault.ts';
import type { Half, Target } from './crash-crew.ts';
import type { Ground } from './crash-lane.ts';
import type { ScenarioName } from './crash-scenarios.ts';
import { createSite, type Site, type Trial } from './crash-site.ts';

/** One kill point of a scenario, and how its trial went: an error where something did not converge. */
export interface Outcome {
  readonly scenario: ScenarioName;
  readonly target: Target;
  readonly result: Trial | { readonly error: string; readonly log: string };
}

/** What is tried. */
export interface CrashPlan {
  readonly half: Half;
  readonly scenarios: readonly ScenarioName[];
  /** Trials side by side, each in a lane of its own. */
  readonly lanes: number;
  /** The only kill point that is tried; nothing is recorded then. */
  readonly only?: Target | undefined;
  /** Which of the recorded kill points are tried; all unless given. */
  readonly choose?: (recorded: readonly Target[]) => readonly Target[];
}

/** A kill point as it is written: `backend: sql commit #1 before`. */
export const targetText = ({ role, call, ordinal, edge }: Target): string => `${role}: ${call} #${ordinal} ${edge}`;

/** Reads what `targetText` writes; undefined for anything else. */
export const parseTarget = (text: string): Target | undefined => {
  const [, role, call = '', ordinal, edge] = /^(backend|agent|all): (.+) #([1-9]\d*) (before|after)$/.exec(text) ?? [];
  if (role !== 'backend' && role !== 'agent' && role !== 'all') return undefined;
  return edge === 'before' || edge === 'after' ? { role, call, ordinal: Number(ordinal), edge } : undefined;
};

/** Runs the plan. Each outcome is told as it comes. */
export const runCrashPlan = async (
  ground: Ground,
  plan: CrashPlan,
  tell: (outcome: Outcome) => void = () => undefined,
): Promise<readonly Outcome[]> => {
  await using sites = await openSites(ground, plan);
  const { only, scenarios } = plan;
  const points = only ? scenarios.map((scenario) => ({ scenario, target: only })) : await record(sites, plan);
  return await sites.forEach(points, async (site, { scenario, target }) => {
    const outcome = {
      scenario,
      target,
      result: await attempt(site, scenario, target),
    };
    tell(outcome);
    return outcome;
  });
};

type Sites = Awaited<ReturnType<typeof openSites>>;

/**
 * Has each scenario happen undisturbed; twice where all of it is to be tried, since what is called depends a little on
 * chance.
 */
const record = async (sites: Sites, { scenarios, choose }: CrashPlan) => {
  const all = choose ? scenarios : scenarios.flatMap((scenario) => [scenario, scenario]);
  const recorded = await sites.forEach(all, async (site, scenario) => targetsOf(await undisturbed(site, scenario)));
  return scenarios.flatMap((scenario) => {
    const mine = recorded.filter((_, index) => all[index] === scenario).flat();
    const targets = [...new Map(mine.map((target) => [targetText(target), target])).values()];
    return (choose?.(targets) ?? targets).map((target) => ({
      scenario,
      target,
    }));
  });
};

const undisturbed = async (site: Site, scenario: ScenarioName): Promise<Trial> => {
  try {
    return await site.attempt(scenario);
  } catch (error) {
    throw new Error(`${scenario} does not converge although nobody is killed: ${messageOf(error)}\n${site.logs()}`, {
      cause: error,
    });
  }
};

const attempt = async (site: Site, scenario: ScenarioName, target: Target): Promise<Outcome['result']> => {
  try {
    return await site.attempt(scenario, target);
  } catch (error) {
    return { error: messageOf(error), log: site.logs() };
  }
};

const targetsOf = ({ counts }: Trial): Target[] =>
  counts.flatMap(([role, calls]) =>
    Object.entries(calls).flatMap(([call, count]) =>
      Array.from({ length: count }, (_, index) => index + 1).flatMap((ordinal) => [
        { role, call, ordinal, edge: 'before' as const },
        { role, call, ordinal, edge: 'after' as const },
      ]),
    ),
  );

/** Opens the lanes, and shares work out among them in order. A lane where something failed is made anew. */
const openSites = async (ground: Ground, { half, lanes, only }: CrashPlan) => {
  const opened = await Promise.allSettled(Array.from({ length: only ? 1 : lanes }, () => createSite(ground, half)));
  const sites = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const closeAll = async (): Promise<void> =>
    void (await Promise.all(sites.map((site) => site[Symbol.asyncDispose]())));
  for (const one of opened) {
    if (one.status === 'fulfilled') continue;
    await closeAll();
    throw one.reason;
  }
  return {
    async forEach<Item, Result>(items: readonly Item[], run: (site: Site, item: Item) => Promise<Result>) {
      const left = [...items.entries()];
      const results: Result[] = [];
      const work = async (lane: number): Promise<void> => {
        for (let next = left.shift(); next; next = left.shift()) {
          const result = await run(sites[lane]!, next[1]); // as many lanes as sites
          results[next[0]] = result;
          if (!hasFailed(result)) continue;
          await sites[lane]![Symbol.asyncDispose](); // likewise
          sites[lane] = await createSite(ground, half);
        }
      };
      const ends = await Promise.allSettled(sites.map((_, lane) => work(lane).finally(() => left.splice(0))));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
      return results;
    },
    [Symbol.asyncDispose]: closeAll,
  };
};

const hasFailed = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'result' in result && 'error' in (result.result as object); // an outcome's
