// Which of Argo CD's Secrets have drifted, and which have lost their rows.
import type { Application } from '../../api/argocd/application.ts';
import {
  credentialIdOf,
  databaseIdLabel,
  defaultProject,
  managedEnvironmentIdOf,
  secretTypeLabel,
} from '../../api/labels.ts';
import { selectRowless, type SecretOrigin } from '../../db/queries/agent-secrets.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import type { Secret } from '../../kube/object.ts';
import { parseTime } from '../../lib/clock.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';
import type { StoreChange } from '../../runtime/store.ts';
import { secretText, type AgentContext } from '../context.ts';
import { driftKey } from './reconcile.ts';

type Caches = Pick<AgentContext, 'applications' | 'secrets'>;

/** What a Secret of ours was made from, by its name; undefined for those of others. */
const originOf = ({ metadata: { name } }: Secret): SecretOrigin | undefined => {
  const environmentId = managedEnvironmentIdOf(name);
  if (environmentId !== undefined) return { kind: 'environment', id: environmentId };
  const credentialId = credentialIdOf(name);
  return credentialId === undefined ? undefined : { kind: 'credential', id: credentialId };
};

/** Enqueues a look at every Secret of ours. */
export const lookForSecretDrift = ({ secrets }: Caches, enqueue: (key: string) => void): void => {
  for (const secret of secrets.list()) {
    const origin = originOf(secret);
    if (origin) enqueue(driftKey(origin.kind, origin.id));
  }
};

/** Enqueues what was changed or deleted, by whom ever: our own changes are found to be right. Returns the way to end it. */
export const followSecretDrift = (caches: Caches, enqueue: (key: string) => void): (() => void) => {
  const look = (secret: Secret): void => {
    const origin = originOf(secret);
    if (origin) enqueue(driftKey(origin.kind, origin.id));
  };
  const ends = [
    caches.secrets.subscribe(({ object }) => look(object)),
    caches.applications.subscribe((change) => {
      if (isElsewhere(change)) for (const secret of wronglyScoped(caches, change.object)) look(secret);
    }),
  ];
  return () => ends.forEach((end) => end());
};

/** A new Application, or one that has another project or repository than before. */
const isElsewhere = ({ type, object, old }: StoreChange<Application>): boolean =>
  type !== 'deleted' &&
  (old?.spec.project !== object.spec.project || old.spec.source?.repoURL !== object.spec.source?.repoURL);

/**
 * Secrets for the repository of an Application that were written when projects isolated tenants and do so no more, or
 * the other way round: Argo CD would not use the one, and lets everybody use the other.
 */
const wronglyScoped = ({ secrets }: Caches, { spec }: Application): readonly Secret[] => {
  if (secrets.size === 0) return [];
  const isIsolated = spec.project !== defaultProject;
  const url = normalizeGitUrl(spec.source?.repoURL ?? '');
  return secrets.byIndex('repository', url).filter((secret) => (secretText(secret, 'project') !== '') !== isIsolated);
};

/** What removes a Secret that has no row, after it has looked once more that it has none. */
type Removals = Readonly<Record<SecretOrigin['kind'], (id: string, signal: AbortSignal) => Promise<void>>>;

/**
 * Creates the removal of Secrets that bear our name and labels, and have no row: those that are old enough, and have had
 * none at a second look too. The caches are complete, and what is removed is read live once more.
 */
export const createSweep = (context: AgentContext, removals: Removals) => {
  const { clock, log, settings } = context;
  const count = context.metrics.gauge({
    name: 'managed_gitops_orphaned_secrets',
    help: 'Secrets in the namespace of Argo CD that are old enough to have a row, and have none.',
    labels: [],
  });
  let since: ReadonlyMap<string, number> = new Map(); // by UID: when it was first seen without a row
  return async (_id: string, signal: AbortSignal): Promise<ReconcileResult> => {
    const rowless = await findRowless(context);
    const nowMs = clock.monotonicMs();
    count.set(rowless.length, {});
    since = new Map(rowless.map(({ uid }) => [uid, since.get(uid) ?? nowMs]));
    const leftMs = (uid: string): number => (since.get(uid) ?? nowMs) + settings.orphanSecondLookMs - nowMs;
    const due = rowless.filter(({ uid }) => leftMs(uid) <= 0);
    if (due.length > settings.maxOrphans) {
      log.error('more Secrets than allowed are without a row; none is removed', { count: due.length });
      return undefined;
    }
    for (const { origin } of due) await removals[origin.kind](origin.id, signal);
    const waits = rowless.filter((one) => !due.includes(one)).map(({ uid }) => leftMs(uid));
    return waits.length > 0 ? { afterMs: Math.min(...waits) } : undefined;
  };
};

interface Rowless {
  readonly uid: string;
  readonly origin: SecretOrigin;
}

const findRowless = async ({ db, engine, clock, secrets, settings }: AgentContext): Promise<readonly Rowless[]> => {
  const bornBeforeMs = clock.now() - settings.orphanAgeMs;
  const old = secrets
    .list()
    .filter(({ metadata }) => (parseTime(metadata.creationTimestamp) ?? Infinity) <= bornBeforeMs);
  const candidates = old.flatMap((secret) => {
    const origin = originOf(secret);
    return origin && isLabelled(secret, origin) ? [{ uid: secret.metadata.uid ?? '', origin }] : [];
  });
  if (candidates.length === 0) return [];
  const found = await selectRowless(
    db,
    await engine.identity(),
    candidates.map(({ origin }) => origin),
  );
  const keys = new Set(found.map(({ kind, id }) => driftKey(kind, id)));
  return candidates.filter(({ origin }) => keys.has(driftKey(origin.kind, origin.id)));
};

const isLabelled = ({ metadata: { labels } }: Secret, { kind, id }: SecretOrigin): boolean =>
  labels?.[databaseIdLabel] === id && labels[secretTypeLabel] === (kind === 'environment' ? 'cluster' : 'repository');
