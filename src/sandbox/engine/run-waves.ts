// Goes through the waves of a sync: applies objects, starts hooks, and waits where the next wave has to.
import type { Apply } from './apply.ts';
import { healthOf } from './health.ts';
import type { LiveObjects } from './live.ts';
import type { Hooks } from './run-hooks.ts';
import type { SyncedResource } from './shapes.ts';
import type { Pair } from './sync-plan.ts';
import {
  failureOf,
  isRefused,
  REFUSED,
  runOf,
  UNSUCCESSFUL,
  waitingFor,
  type Outcome,
  type SyncProgress,
  type SyncRequest,
} from './sync-request.ts';

/** The waves of syncs. */
export interface Waves {
  /** Goes as far as it can at once. */
  run(waves: readonly (readonly Pair[])[], request: SyncRequest): Promise<SyncProgress>;
  /** Starts and follows hooks; what they wait for, or why they failed. */
  followHooks(
    wanted: readonly Pair[],
    request: SyncRequest,
  ): Promise<{ readonly lines: SyncedResource[]; readonly outcome: Outcome | undefined }>;
}

/** Creates the part that goes through waves. */
export const createWaves = (parts: {
  readonly live: LiveObjects;
  readonly apply: Apply;
  readonly hooks: Hooks;
}): Waves => {
  const { live, apply, hooks } = parts;

  /** What a wave that others follow still waits for, or why it never will be well. */
  const waitForHealth = async (wave: readonly Pair[], signal: AbortSignal): Promise<Outcome | undefined> => {
    const unready: Pair[] = [];
    for (const pair of wave) {
      const { desired, resource } = pair;
      if (!desired || !resource || pair.hook) continue;
      const present = await live.find(resource, desired, signal);
      const health = present && healthOf(present);
      if (health?.status === 'Degraded') return failureOf(UNSUCCESSFUL, [health.message ?? desired.metadata.name]);
      if (health && health.status !== 'Healthy') unready.push(pair);
    }
    return unready.length > 0 ? waitingFor('healthy state of', unready) : undefined;
  };

  const followHooks: Waves['followHooks'] = async (wanted, request) => {
    const hookRun = runOf(request);
    const lines: SyncedResource[] = [];
    const running: Pair[] = [];
    for (const pair of wanted) {
      const line = await hooks.follow(pair, hookRun);
      if (!line) return { lines, outcome: waitingFor('deletion of', [pair]) };
      lines.push(line);
      if (line.hookPhase === 'Running') running.push(pair);
    }
    if (running.length > 0) return { lines, outcome: waitingFor('completion of hook', running) };
    const failed = lines.filter(({ hookPhase }) => hookPhase === 'Failed');
    const reasons = failed.map(({ message }) => message);
    const failure = failureOf(failed.some(isRefused) ? REFUSED : UNSUCCESSFUL, reasons);
    return { lines, outcome: failed.length > 0 ? failure : undefined };
  };

  const run: Waves['run'] = async (waves, request) => {
    const { order, signal } = request;
    const resources: SyncedResource[] = [];
    for (const [index, wave] of waves.entries()) {
      for (const pair of wave) if (!pair.hook) resources.push(await apply(pair, request));
      const refused = resources.filter(isRefused).map(({ message }) => message);
      if (refused.length > 0) return { ...failureOf(REFUSED, refused), resources };
      const { lines, outcome } = await followHooks(
        wave.filter(({ hook }) => hook),
        request,
      );
      resources.push(...lines);
      if (outcome) return { ...outcome, resources };
      const waiting = index < waves.length - 1 && !order.dryRun ? await waitForHealth(wave, signal) : undefined;
      if (waiting) return { ...waiting, resources };
    }
    const all = waves.length > 0 ? 'all tasks run' : 'no more tasks';
    return { phase: 'Succeeded', message: `successfully synced (${all})`, resources };
  };

  return { run, followHooks };
};
