// Starts a sync's hooks, follows them to their end, and takes their objects away again.
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { resultLine, refOf, type Apply } from './apply.ts';
import { hookDeletions, hookName, hookPhases, hookStateOf, runsHooks, type HookDeletion } from './hooks.ts';
import type { LiveObjects } from './live.ts';
import type { Application, SyncedResource, SyncOrder } from './shapes.ts';
import { objectOf, type Pair } from './sync-plan.ts';

/** The run of a sync that hooks belong to. `former` is its result so far: it says which hooks were started. */
export interface HookRun {
  readonly application: Application;
  readonly order: SyncOrder;
  readonly revision: string;
  readonly startedAtMs: number;
  readonly former: readonly SyncedResource[];
  readonly signal: AbortSignal;
}

/** The hooks of a run. */
export interface Hooks {
  /** Starts a hook, or looks how far it is; undefined while an object of an earlier run is not gone yet. */
  follow(hook: Pair, run: HookRun): Promise<SyncedResource | undefined>;
  /** Deletes the objects of those hooks that want it so. */
  clear(hooks: readonly Pair[], policy: HookDeletion, run: HookRun): Promise<void>;
  /** Deletes those of the live hooks that are still running, and gives a line for each of them. */
  terminate(liveHooks: readonly Pair[], signal: AbortSignal): Promise<readonly SyncedResource[]>;
}

/** Names what a line of a sync's result is about; a hook may run in several phases. */
export const lineKey = ({ group, kind, namespace, name, syncPhase }: SyncedResource): string =>
  [syncPhase ?? '', group, kind, namespace, name].join('/');

/** A hook for each phase it runs in, with the name that its object has in this run. */
export const expandHooks = (hooks: readonly Pair[], run: Omit<HookRun, 'former' | 'signal'>): readonly Pair[] => {
  if (!runsHooks(run.order)) return [];
  return hooks.flatMap((pair) => {
    const hook = objectOf(pair);
    return hookPhases(hook).map((phase): Pair => {
      const { generateName: _prefix, ...metadata } = hook.metadata;
      const name = hookName(hook, { ...run, phase });
      return { ...pair, hook: phase, desired: { ...hook, metadata: { ...metadata, name } } };
    });
  });
};

/** Creates the runner of hooks. */
export const createHooks = (parts: {
  readonly client: KubeClient;
  readonly live: LiveObjects;
  readonly apply: Apply;
}): Hooks => {
  const { client, live, apply } = parts;

  const remove = async (pair: Pair, signal: AbortSignal): Promise<void> => {
    const { resource } = pair;
    if (!resource) return;
    try {
      await client.delete(resource, refOf(objectOf(pair)), { signal, propagationPolicy: 'Background' });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };

  const find = async (pair: Pair, signal: AbortSignal) =>
    pair.resource && live.find(pair.resource, objectOf(pair), signal);

  const look = async (line: SyncedResource, pair: Pair, signal: AbortSignal): Promise<SyncedResource> => {
    const present = await find(pair, signal);
    if (!present) return line;
    const { status: _applied, ...rest } = line;
    const { phase, message } = hookStateOf(present);
    return { ...rest, hookPhase: phase, ...(message ? { message } : {}) };
  };

  const start = async (pair: Pair, run: HookRun): Promise<SyncedResource | undefined> => {
    const { order, signal } = run;
    const present = await find(pair, signal);
    const stale = present && hookDeletions(objectOf(pair)).includes('BeforeHookCreation');
    if (stale && !order.dryRun) await remove(pair, signal);
    const left = stale ? await find(pair, signal) : present;
    if (stale && left && !order.dryRun) return undefined;
    const line = await apply(left ? { ...pair, live: left } : pair, run);
    if (line.hookPhase === 'Failed') return line;
    return order.dryRun ? { ...line, hookPhase: 'Succeeded' } : look(line, pair, signal);
  };

  return {
    async follow(pair, run) {
      const key = lineKey(resultLine(pair, { status: 'Synced', message: '' }));
      const former = run.former.find((line) => lineKey(line) === key);
      if (!former) return start(pair, run);
      return former.hookPhase === 'Running' ? look(former, pair, run.signal) : former;
    },
    async clear(hooks, policy, { order, signal }) {
      if (order.dryRun) return;
      for (const pair of hooks) if (hookDeletions(objectOf(pair)).includes(policy)) await remove(pair, signal);
    },
    async terminate(liveHooks, signal) {
      const running = liveHooks.filter(({ live: object }) => object && hookStateOf(object).phase === 'Running');
      for (const pair of running) await remove(pair, signal);
      const phased = running.flatMap((pair) => hookPhases(objectOf(pair)).map((hook): Pair => ({ ...pair, hook })));
      return phased.map((pair) => ({
        ...resultLine(pair, { status: 'Synced', message: 'Deleted' }),
        hookPhase: 'Succeeded',
      }));
    },
  };
};
