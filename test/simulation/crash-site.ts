// A lane with the service on it: tries one kill point after the other, each in a namespace of its own.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { createCrew, type Counts, type Crew, type Half, type Target } from './crash-crew.ts';
import { differencesOf } from './crash-differences.ts';
import { createLane, engineNamespace, type Ground, type Lane } from './crash-lane.ts';
import { scenarios, type Scenario, type ScenarioName } from './crash-scenarios.ts';
import { createStage, type Stage } from './crash-stage.ts';

/** How a trial went. It has converged. */
export interface Trial {
  /** Whether the process died; false where it made no such call. */
  readonly reached: boolean;
  /** From the death until all agreed and came to rest. Milliseconds. */
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
  const settled = createSettled(lane, crew, bystander);
  await settled(bystander);
  const checkDeletions = await createDeletionCheck(lane);
  let stages = 0;

  const makeChange = async (scenario: Scenario, stage: Stage, target?: Target): Promise<void> => {
    if (scenario.away) {
      await crew.killVictims();
      await scenario.change(stage, lane);
      crew.startAll(target);
    } else {
      await crew.arm(target);
      await scenario.change(stage, lane);
    }
  };
  /** Starts again what died, and waits until it has made good. */
  const recover = async (stage: Stage, died: boolean): Promise<number> => {
    if (died) await crew.killVictims();
    else await crew.arm();
    const startMs = performance.now();
    crew.startAll();
    await settled(stage);
    return performance.now() - startMs;
  };
  const owned = stack.move();
  return {
    async attempt(name, target) {
      const scenario: Scenario = scenarios[name];
      const stage = await createStage(lane, `team-${(stages += 1)}`);
      await scenario.prepare(stage, lane);
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

/** Waits until all agree and nothing more is called, or until the victim has died. */
const createSettled = (lane: Lane, crew: Crew, bystander: Stage) => {
  return (stage: Stage, { victim, awaited }: Awaited = {}): Promise<void> => {
    const missing = () => (awaited ? awaited(lane) : differencesOf(lane, [...new Set([bystander, stage])]));
    const isOver = async (): Promise<boolean> => {
      if (crew.hasDied(victim)) return true;
      if (!(await crew.isQuiet())) return crew.hasDied(victim); // asked first: it costs less than to look at everything
      return (await missing()).length === 0 || crew.hasDied(victim);
    };
    return until(isOver, async () => (await missing()).join('; ') || 'all agree, but the service goes on calling');
  };
};

/** What fails when anything has been deleted that the teams did not ask for. */
const createDeletionCheck = async (lane: Lane): Promise<(stage: Stage) => void> => {
  const { items } = await lane.client.list(appProjects, {
    namespace: engineNamespace,
  });
  const kept = new Set(items.map(({ metadata }) => `AppProject ${metadata.name}`));
  const removable = new Set<string>();
  return (stage) => {
    for (const what of stage.removable) removable.add(what);
    const projectMayGo = stage.deployments.size + stage.credentials.size === 0;
    const wrong = lane.deleted
      .splice(0)
      .filter((what) => !removable.has(what) && (kept.has(what) || !what.startsWith('AppProject') || !projectMayGo));
    if (wrong.length > 0) throw new Error(`deleted although nobody asked for it: ${wrong.join(', ')}`);
  };
};

const POLL_MS = 50;
const PATIENCE_MS = 60_000;

/** Waits until it is over; a look that fails is one too early. @throws Error that says what is missing. */
const until = async (isOver: () => Promise<boolean>, missing: () => Promise<string>): Promise<void> => {
  for (const startMs = performance.now(); !(await isOver().catch(() => false));) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(await missing());
    await sleep(systemClock, POLL_MS);
  }
};
