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

type Body = Readonly<Record<string, unknown>>;

/** Creates the stand-in; it has to be told of changes. */
export const createArgoCd = (options: ArgoCdOptions): ArgoCd => {
  const { client, namespace, clock, random, gate } = options;
  const waiting = new Set<string>();
  /** What manual Applications were last synced with, by UID. */
  const synced = new Map<string, unknown>();
  let isCalm = false;

  const write = (application: Application, body: Body): Promise<unknown> => {
    const { name, resourceVersion } = application.metadata;
    const { metadata = {}, ...rest } = body;
    const conditional = { ...rest, metadata: { ...Object(metadata), resourceVersion } };
    return client.patch(applications, { namespace, name }, { type: 'merge', body: conditional });
  };
  const look = async (name: string): Promise<void> => {
    const application = await client.get(applications, { namespace, name });
    const next = nextStep(application, { synced, nowText: rfc3339(clock.now()), chance: isCalm ? 1 : random.next() });
    if (!next) return;
    await write(application, next);
    if (next['operation'] === null) options.synced(application.metadata.uid ?? '', application.operation);
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

interface StepContext {
  readonly synced: Map<string, unknown>;
  readonly nowText: string;
  /** A low one leads astray: something passing is reported first. */
  readonly chance: number;
}

/** The one thing to do about an Application now; undefined when it is as it should be. */
const nextStep = (application: Application, context: StepContext): Body | undefined => {
  const { metadata, operation } = application;
  if (operation) return operate(application, context);
  if (metadata.deletionTimestamp) return letGo(application);
  if (metadata.annotations?.[refreshAnnotation]) return { metadata: { annotations: { [refreshAnnotation]: null } } };
  return report(application, context);
};

const letGo = ({ metadata }: Application): Body | undefined => {
  const finalizers = metadata.finalizers ?? [];
  const others = finalizers.filter((finalizer) => !finalizer.startsWith(FINALIZER));
  return others.length < finalizers.length ? { metadata: { finalizers: others } } : undefined;
};

/** Carries an ordered sync on by one phase. */
const operate = (application: Application, { synced, nowText, chance }: StepContext): Body => {
  const { operation, spec, status, metadata } = application;
  const state = status?.operationState;
  const begun = { operation, startedAt: nowText, phase: 'Running', message: 'syncing' };
  const isMine = isEqualJson(state?.operation, operation);
  if (!isMine || state?.phase === undefined || state.phase === '') return { status: { operationState: begun } };
  const failed = { phase: 'Failed', message: 'one or more objects failed to apply', finishedAt: nowText };
  if (state.phase === 'Running' && chance < 0.2) return { operation: null, status: { operationState: failed } };
  if (state.phase === 'Running') {
    synced.set(metadata.uid ?? '', spec.source);
    const revision = operation?.sync?.revision || revisionOf(application);
    const result = { revision, source: spec.source };
    const done = { phase: 'Succeeded', message: 'synced', finishedAt: nowText, syncResult: result };
    return { operation: null, status: { operationState: done } };
  }
  return {
    operation: null,
    status: { operationState: { phase: 'Failed', message: 'terminated', finishedAt: nowText } },
  };
};

const report = (application: Application, { synced, chance }: StepContext): Body | undefined => {
  const { spec, status, metadata } = application;
  const isSynced = spec.syncPolicy?.automated !== undefined || isEqualJson(synced.get(metadata.uid ?? ''), spec.source);
  const said = { status: isSynced ? 'Synced' : 'OutOfSync', revision: revisionOf(application) };
  const comparedTo = { ...(spec.source && { source: spec.source }), destination: spec.destination };
  const wanted: ApplicationStatus = {
    health: { status: isSynced ? 'Healthy' : 'Missing' },
    sync: { ...said, comparedTo },
  };
  const present = { health: status?.health, sync: status?.sync };
  if (isEqualJson(present, wanted)) return undefined;
  if (chance > 0.4) return { status: { ...wanted, sync: { ...said, comparedTo: asWhole(comparedTo, status) } } };
  const passing = chance < 0.2 ? 'Progressing' : 'Degraded';
  if (status?.health?.status === passing) return { status: { health: wanted.health } };
  return { status: { health: { status: passing }, sync: { status: 'OutOfSync', comparedTo } } };
};

/** A merge patch takes away only what it names: what the last comparison had besides has to be named. */
const asWhole = (comparedTo: object, status: ApplicationStatus | undefined): unknown => {
  const before = status?.sync?.comparedTo?.source ?? {};
  const blank = Object.fromEntries(Object.keys(before).map((name) => [name, null]));
  const { source, ...rest } = { source: {}, ...comparedTo };
  return { ...rest, source: { ...blank, ...source } };
};

/** One commit for each source: forty hex digits that look like one. */
const revisionOf = ({ spec }: Application): string =>
  Buffer.from(JSON.stringify(spec.source ?? {}))
    .toString('hex')
    .slice(-48, -8);
