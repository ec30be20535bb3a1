// A scripted stand-in for Argo CD: reports, syncs when ordered, and lets deleted Applications go, each after a while.
import { applications, type Application, type ApplicationStatus } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import { isConflict, isNotFound } from '../../src/kube/status-error.ts';
import { rfc3339, type Clock } from '../../src/lib/clock.ts';
import type { Gate } from '../../src/lib/gate.ts';
import type { Random } from '../../src/lib/random.ts';

/** What the stand-in runs on. */
export interface ArgoCdOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  /** Told of each sync that ends. */
  readonly synced: (applicationUid: string, operation: unknown) => void;
}

/** The stand-in. */
export interface ArgoCd {
  /** An Application changed. */
  changed(name: string): void;
  /** Nothing but what is right is reported from now on, and soon. */
  calm(): void;
}

const SLOWEST_MS = 5_000;
const SOON_MS = 50;
const FINALIZER = 'resources-finalizer.argocd.argoproj.io';

/** Creates the stand-in; it has to be told of changes. */
export const createArgoCd = (options: ArgoCdOptions): ArgoCd => {
  const { client, namespace, clock, random, gate } = options;
  const waiting = new Set<string>();
  /** What manual Applications were last synced with, by UID. */
  const synced = new Map<string, unknown>();
  let isCalm = false;

  const look = async (name: string): Promise<void> => {
    const application = await client.get(applications, { namespace, name });
    const next = nextState(application, { synced, nowText: rfc3339(clock.now()), chance: isCalm ? 1 : random.next() });
    if (!next) return;
    await client.update(applications, next); // on condition of the version that was read
    if (application.operation && !next.operation) {
      options.synced(application.metadata.uid ?? '', application.operation);
    }
  };
  const changed = (name: string): void => {
    if (waiting.has(name)) return;
    waiting.add(name);
    clock.after(isCalm ? SOON_MS : SLOWEST_MS * random.next() ** 3, () => {
      const run = async (): Promise<void> => {
        waiting.delete(name);
        await look(name).catch((error: unknown) => {
          if (isConflict(error)) changed(name);
          else if (!isNotFound(error)) throw error;
        });
      };
      void gate({ to: 'api', name: `looks at ${name}` }, run);
    });
  };
  return {
    changed,
    calm: () => void (isCalm = true),
  };
};

interface LookContext {
  readonly synced: Map<string, unknown>;
  readonly nowText: string;
  /** A low one leads astray: a sync fails, or something passing is reported first. */
  readonly chance: number;
}

/** The Application after the one thing that is to be done about it now; undefined when it is as it should be. */
const nextState = (application: Application, context: LookContext): Application | undefined => {
  const { metadata } = application;
  if (application.operation) return operate(application, context);
  if (metadata.deletionTimestamp) return letGo(application);
  const { [refreshAnnotation]: refresh, ...annotations } = metadata.annotations ?? {};
  if (refresh) return { ...application, metadata: { ...metadata, annotations } };
  return report(application, context);
};

const letGo = (application: Application): Application | undefined => {
  const { finalizers = [] } = application.metadata;
  const others = finalizers.filter((finalizer) => !finalizer.startsWith(FINALIZER));
  if (others.length === finalizers.length) return undefined;
  return { ...application, metadata: { ...application.metadata, finalizers: others } };
};

/** Carries an ordered sync on by one phase. */
const operate = ({ operation, ...application }: Application, { synced, nowText, chance }: LookContext): Application => {
  const { spec, status, metadata } = application;
  const state = status?.operationState;
  const isMine = isEqualJson(state?.operation, operation);
  if (!operation || !state || !isMine || !state.phase) {
    const begun = { operation: operation ?? {}, startedAt: nowText, phase: 'Running', message: 'syncing' };
    return { ...application, ...(operation && { operation }), status: { ...status, operationState: begun } };
  }
  const ended = (phase: string, message: string) => ({ ...state, phase, message, finishedAt: nowText });
  const after = (operationState: typeof state) => ({ ...application, status: { ...status, operationState } });
  if (state.phase !== 'Running') return after(ended('Failed', 'terminated'));
  if (chance < 0.2) return after(ended('Failed', 'one or more objects failed to apply'));
  synced.set(metadata.uid ?? '', spec.source);
  const revision = operation.sync?.revision || revisionOf(application);
  return after({
    ...ended('Succeeded', 'synced'),
    syncResult: { revision, ...(spec.source && { source: spec.source }) },
  });
};

const report = (application: Application, { synced, chance }: LookContext): Application | undefined => {
  const { spec, status, metadata } = application;
  const isSynced = spec.syncPolicy?.automated !== undefined || isEqualJson(synced.get(metadata.uid ?? ''), spec.source);
  const comparedTo = { ...(spec.source && { source: spec.source }), destination: spec.destination };
  const wanted: Pick<ApplicationStatus, 'health' | 'sync'> = {
    health: { status: isSynced ? 'Healthy' : 'Missing' },
    sync: { status: isSynced ? 'Synced' : 'OutOfSync', revision: revisionOf(application), comparedTo },
  };
  if (isEqualJson({ health: status?.health, sync: status?.sync }, wanted)) return undefined;
  if (chance > 0.4) return { ...application, status: { ...status, ...wanted } };
  const health = { status: chance < 0.2 ? 'Progressing' : 'Degraded' };
  if (status?.health?.status === health.status) return { ...application, status: { ...status, ...wanted } };
  return { ...application, status: { ...status, health, sync: { status: 'OutOfSync', comparedTo } } };
};

/** One commit for each source: forty hex digits that look like one. */
const revisionOf = ({ spec }: Application): string =>
  Buffer.from(JSON.stringify(spec.source ?? {}))
    .toString('hex')
    .slice(-48, -8);
