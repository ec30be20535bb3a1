// Parts that both halves have: probes, the database ready for use, the caches filled, the work under a Lease.
import { migrate } from '../db/migrate.ts';
import { pingDatabase } from '../db/queries/ping.ts';
import { checkSchema } from '../db/schema.ts';
import { onceReady } from '../db/wait.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Address } from '../lib/config.ts';
import { createProbes, type Probes } from '../lib/probes.ts';
import { createLeasePair } from '../runtime/lease-pair.ts';
import { createLease } from '../runtime/lease.ts';
import type { Part } from '../runtime/process.ts';
import { repeat } from '../runtime/repeat.ts';
import { createTerms, type Work } from '../runtime/term.ts';
import type { Watcher } from '../runtime/watcher.ts';
import { originalLeases } from './original.ts';
import { processIdentity, type Platform, type ProcessDatabase } from './platform.ts';

/** The probes, and the part that serves them. */
export const probesPart = (
  platform: Platform,
  addresses: { readonly healthAddress: Address; readonly metricsAddress: Address },
): { readonly part: Part; readonly probes: Probes } => {
  const probes = createProbes({
    ...platform,
    health: addresses.healthAddress,
    metricsAddress: addresses.metricsAddress,
  });
  return { probes, part: { name: 'probes', start: () => probes.start(), stop: () => probes.stop() } };
};

/** How soon readiness shows that the database is away, at the latest. */
const PING_MS = 5_000;

/**
 * Waits for the database and its schema, which it makes itself when `migrates`; who doesn't waits until somebody has.
 * A schema that is too new or unknown ends the process.
 */
export const databasePart = (
  platform: Platform,
  { options, pool }: ProcessDatabase,
  { probes, migrates }: { readonly probes: Probes; readonly migrates: boolean },
): Part => {
  let ready = false;
  let endPings = (): void => {};
  probes.check('database', () =>
    ready ? (pool.available ? undefined : 'it does not answer') : 'waiting for the database and its schema',
  );
  return {
    name: 'database',
    async start(signal) {
      await onceReady<unknown>({ ...options, random: platform.random, signal }, () =>
        migrates ? migrate({ ...options, signal }) : checkSchema(pool, platform),
      );
      ready = true;
      // A process with nothing to do would else notice only by its next statement that the database is away.
      endPings = repeat(platform, PING_MS, () => void pingDatabase(pool).catch(() => undefined)); // the pool tells
    },
    async stop() {
      endPings();
      await pool.stop();
    },
  };
};

/** Fills caches before what comes next starts; the process is not ready before. */
export const cachesPart = (watchers: Readonly<Record<string, Watcher<KubeObject>>>, probes: Probes): Part => {
  for (const [name, watcher] of Object.entries(watchers)) {
    probes.check(name, () => {
      if (!watcher.synced) return 'waiting for the first listing';
      return watcher.state === 'waiting' ? 'the API server does not answer' : undefined;
    });
  }
  const all = Object.values(watchers);
  return {
    name: 'caches',
    async start(signal) {
      for (const watcher of all) watcher.start();
      await Promise.all(all.map((watcher) => watcher.whenSynced(signal)));
    },
    async stop() {
      await Promise.all(all.map((watcher) => watcher.stop()));
    },
  };
};

/** What decides which Leases are taken, and where. */
interface LeaseSettings {
  readonly leaseNamespace: string;
  readonly argocdNamespace: string;
  readonly podUid: string;
  readonly compat: 'none' | 'original';
}

/** Work of one half, done only while its Lease is held; beside the original, while the original's is held too. */
export const workPart = (
  platform: Platform,
  options: {
    readonly name: keyof typeof originalLeases;
    readonly client: KubeClient;
    readonly settings: LeaseSettings;
    readonly begin: (lost: AbortSignal) => Promise<Work> | Work;
  },
): Part => {
  const { name, client, settings, begin } = options;
  const identity = processIdentity(platform.random, settings.podUid);
  const namespace = settings.leaseNamespace || settings.argocdNamespace;
  const candidate = (leaseName: string) => createLease({ ...platform, client, namespace, name: leaseName, identity });
  const own = candidate(`managed-gitops-${name}`);
  const lease = settings.compat === 'original' ? createLeasePair(own, () => candidate(originalLeases[name])) : own;
  return createTerms({ ...platform, name, lease, begin });
};

/** Closes the client's connections after everything that uses them has stopped. */
export const clientPart = (client: KubeClient): Part => ({
  name: 'client',
  start: () => undefined,
  stop: () => client.close(),
});
