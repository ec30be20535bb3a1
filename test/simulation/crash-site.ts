// A lane with the service on it: tries one kill point after the other, each in a namespace of its own.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/fault.ts';
import { createCrew, type Counts, type Half, type Target } from './crash-crew.ts';
import { differencesOf } from './crash-differences.ts';
import { createLane, engineNamespace, type Ground, type Lane } from './crash-lane.ts';
import { scenarios, type Scenario, type ScenarioName } from './crash-scenarios.ts';
import { createStage, type Stage } from './crash-stage.ts';

/** How a trial went. It has converged. */
export interface Trial {
  /** Whether the process died; false where it made no such call. */
  readonly reached: boolean;
  /** From the death until all agreed. Milliseconds. */
  readonly afterMs: number;
  /** What each victim that lives called since the change. */
  readonly counts: Counts;
}

/** A lane with a running service. */
export interface Site extends AsyncDisposable {
  /** Has a scenario happen and the target die in it. @throws Error that says what did not converge. */
  attempt(name: ScenarioName, target?: Target): Promise<Trial>;
  /** The ends of the logs of what runs. */
  logs(): string;
}

/** Creates a site on which the service runs and one tenant has a deployment that nobody touches. */
export const createSite = async (ground: Ground, half: Half): Promise<Site> => {
  await using stack = new AsyncDisposableStack();
  const lane = stack.use(await createLane(ground));
  const crew = createCrew(lane, half);
  const bystander = await createStage(lane, 'bystander');
  crew.startAll();
  await bystander.deploy('kept', 'kept');
  const { settled, agreed } = createWaits(lane, crew, bystander);
  await settled(bystander);
  const checkDeletions = await createDeletionCheck(lane);
  let stages = 0;

  const makeChange = async (scenario: Scenario, stage: Stage, target?: Target): Promise<void> => {
    if (scenario.away) {
      await crew.killVictims();
      await scenario.change(stage);
      crew.startAll(target);
    } else {
      await crew.arm(target);
      await scenario.change(stage);
    }
  };
  /** Starts again what died, and waits until it has made good. */
  const recover = async (stage: Stage, died: boolean): Promise<number> => {
    if (died) await crew.killVictims();
    else await crew.arm();
    const startMs = performance.now();
    crew.startAll();
    await agreed(stage);
    return performance.now() - startMs;
  };
  const owned = stack.move();
  return {
    async attempt(name, target) {
      const scenario: Scenario = scenarios[name];
      const stage = await createStage(lane, `team-${(stages += 1)}`);
      await scenario.prepare(stage);
      await settled(stage, { awaited: scenario.awaited });
      await makeChange(scenario, stage, target);
      await settled(stage, { victim: target });
      const counts = await crew.counts();
      const reached = crew.hasDied(target);
      const afterMs = await recover(stage, reached);
      checkDeletions(stage);
      await stage.clear();
      await settled(stage);
      checkDeletions(stage);
      return { reached, afterMs, counts };
    },
    logs: () => crew.logs(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
};

interface Awaited {
  /** Whose death is enough. */
  readonly victim?: Target | undefined;
  /** What is waited for instead of agreement. */
  readonly awaited?: Scenario['awaited'] | undefined;
}

const createWaits = (lane: Lane, crew: ReturnType<typeof createCrew>, bystander: Stage) => {
  const differences = (stage: Stage) => differencesOf(lane, [...new Set([bystander, stage])]);
  return {
    agreed: (stage: Stage): Promise<void> => until(() => differences(stage)),
    /** Waits until all agree and nothing more is called, or until the victim has died. */
    settled: (stage: Stage, { victim, awaited }: Awaited = {}): Promise<void> =>
      until(async () => {
        if (crew.hasDied(victim)) return [];
        const found = await (awaited ? awaited(lane) : differences(stage));
        if (found.length > 0 || (await crew.isQuiet())) return found;
        return crew.hasDied(victim) ? [] : ['the service goes on calling'];
      }),
  };
};

/** What fails when anything has been deleted that the teams did not ask for. */
const createDeletionCheck = async (lane: Lane): Promise<(stage: Stage) => void> => {
  const { items } = await lane.client.list(appProjects, { namespace: engineNamespace });
  const kept = new Set(items.map(({ metadata }) => `AppProject ${metadata.name}`));
  const removable = new Set<string>();
  return (stage) => {
    for (const what of stage.removable) removable.add(what);
    const projectMayGo = stage.deployments.size === 0;
    const wrong = lane.deleted
      .splice(0)
      .filter((what) => !removable.has(what) && (kept.has(what) || !what.startsWith('AppProject') || !projectMayGo));
    if (wrong.length > 0) throw new Error(`deleted although nobody asked for it: ${wrong.join(', ')}`);
  };
};

const POLL_MS = 40;
const PATIENCE_MS = 60_000;

/** Waits until nothing differs any more; what can't be looked at counts as different. @throws Error that names it. */
const until = async (look: () => Promise<readonly string[]>): Promise<void> => {
  for (const startMs = performance.now(); ;) {
    const differences = await look().catch((error: unknown) => [messageOf(error)]);
    if (differences.length === 0) return;
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(differences.join('; '));
    await sleep(systemClock, POLL_MS);
  }
};
