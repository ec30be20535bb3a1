// Argo CD, played as fast as it can be: only the service in between shall be measured.
import { applications, type Application, type ApplicationStatus } from '../../src/api/argocd/application.ts';
import { applicationFinalizer } from '../../src/api/labels.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { isConflict, isNotFound } from '../../src/kube/status-error.ts';
import { rfc3339, systemClock } from '../../src/lib/clock.ts';
import type { StoreReader } from '../../src/runtime/store.ts';
import { createSlots } from './slots.ts';

/** The finalizer of somebody who never lets go. */
const foreignFinalizer = 'example.com/held';

/** The player. */
export interface ArgoCd {
  /** Writes a status that the Application has not had yet. Gives its revision, once the API server has taken it. */
  report(application: Application): Promise<string>;
  /** Puts a foreign finalizer on an Application: its deletion can't end. */
  hold(application: Application): Promise<void>;
  /** Takes the foreign finalizer from it. */
  release(application: Application): Promise<void>;
  /** Writes that have not been answered yet. */
  readonly busy: number;
  stop(): void;
}

/** What the player works with. */
export interface ArgoCdOptions {
  readonly client: KubeClient;
  /** The Applications as they are watched. */
  readonly store: StoreReader<Application>;
  readonly namespace: string;
  /** Told right before a status is sent. */
  readonly onReport: (revision: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Plays Argo CD: reports on each Application whose spec is new, and lets each deleted one go, at once. */
export const playArgoCd = (options: ArgoCdOptions): ArgoCd => {
  const { client, store, namespace, onReport, onError } = options;
  const reported = new Map<string, string>();
  let revisions = 0;
  const slots = createSlots();
  let busy = 0;

  const patch = async ({ metadata: { name } }: Application, makeBody: () => unknown): Promise<void> => {
    busy += 1;
    await slots(() => client.patch(applications, { namespace, name }, { type: 'merge', body: makeBody() })).finally(
      () => (busy -= 1),
    );
  };
  const report = async (application: Application): Promise<string> => {
    revisions += 1;
    const revision = String(revisions).padStart(40, '0');
    await patch(application, () => {
      onReport(revision);
      return { status: statusOf(application, revision) };
    });
    return revision;
  };
  const setFinalizers = (application: Application, finalizers: readonly string[]): Promise<void> =>
    patch(application, () => ({ metadata: { finalizers } }));

  const react = async (application: Application): Promise<void> => {
    const { name, deletionTimestamp, finalizers = [] } = application.metadata;
    if (deletionTimestamp !== undefined) {
      const left = finalizers.filter((finalizer) => finalizer === foreignFinalizer);
      if (left.length < finalizers.length) await setFinalizers(application, left);
      return;
    }
    const spec = JSON.stringify(application.spec);
    if (reported.get(name) === spec) return;
    reported.set(name, spec);
    await report(application);
  };
  const stop = store.subscribe(({ type, object }) => {
    if (type === 'deleted') reported.delete(object.metadata.name);
    else react(object).catch((error: unknown) => isOvertaken(error) || onError(error));
  });
  return {
    report,
    hold: (application) => setFinalizers(application, [applicationFinalizer, foreignFinalizer]),
    release: (application) => setFinalizers(application, []),
    get busy() {
      return busy;
    },
    stop,
  };
};

/** Which report a revision is of: they count up. */
export const revisionNumber = (revision: string): number => Number(revision);

/** It went, or was changed, between the watch and the write: the next event shows what to do. */
const isOvertaken = (error: unknown): boolean => isNotFound(error) || isConflict(error);

const resources = [
  ['', 'ConfigMap', 'settings'],
  ['', 'Service', 'web'],
  ['apps', 'Deployment', 'web'],
] as const;

/** A status as Argo CD writes it for a small application that is in sync and healthy. */
const statusOf = ({ spec }: Application, revision: string): ApplicationStatus => {
  const now = rfc3339(systemClock.now());
  const source = spec.source && { source: spec.source };
  return {
    health: { status: 'Healthy' },
    sync: { status: 'Synced', revision, comparedTo: { ...source, destination: spec.destination } },
    resources: resources.map(([group, kind, name]) => ({
      ...(group && { group }),
      version: 'v1',
      kind,
      namespace: spec.destination.namespace ?? '',
      name,
      status: 'Synced',
      ...(kind !== 'ConfigMap' && { health: { status: 'Healthy' } }),
    })),
    history: [{ id: 0, revision, deployStartedAt: now, deployedAt: now, ...source }],
    reconciledAt: now,
    sourceType: 'Directory',
    summary: { images: ['registry.example.com/web:1'] },
  };
};
