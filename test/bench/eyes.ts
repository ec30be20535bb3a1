// What the bench sees: watches on Applications and GitOpsDeployments, and Argo CD, who looks through the same.
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import type { StoreReader } from '../../src/runtime/store.ts';
import { createWatcher } from '../../src/runtime/watcher.ts';
import { playArgoCd, revisionNumber, type ArgoCd } from './argo-cd.ts';
import { platform } from './platform.ts';
import { createSights, type Sight, type Sights } from './sights.ts';

/** The eyes of a world. */
export interface Eyes {
  readonly applications: StoreReader<Application>;
  readonly deployments: StoreReader<GitOpsDeployment>;
  readonly argoCd: ArgoCd;
  readonly sights: Sights;
  /** Latencies from Application status to GitOpsDeployment status since the last call, in milliseconds. */
  takeStatusLatencies(): number[];
  /** How many statuses without anything of Argo CD's were seen since the last call. */
  takeFirstStatuses(): number;
  /** How many events the watches have brought so far. */
  eventsSeen(): number;
}

interface EyesOptions {
  readonly connect: () => KubeClient;
  readonly argocdNamespace: string;
  readonly signal: AbortSignal;
  readonly fail: (error: unknown) => void;
}

/** Opens the watches; they end with the stack. */
export const openEyes = async (options: EyesOptions, stack: AsyncDisposableStack): Promise<Eyes> => {
  const { connect, argocdNamespace, signal, fail } = options;
  const watching = { ...platform, client: connect(), metrics: createMetrics() };
  const watchers = {
    applications: createWatcher({ ...watching, resource: applications, namespace: argocdNamespace }),
    deployments: createWatcher({ ...watching, resource: gitOpsDeployments }),
  };
  const sights = createSights(signal);
  const sent = new Map<string, number>();
  const seen = { latencies: new Array<number>(), firstStatuses: 0, events: 0 };
  watchers.applications.store.subscribe(({ type, object }) => {
    seen.events += 1;
    if (type === 'deleted') sights.see(goneSight(object.metadata.name));
    else sights.see(pathSight(object.spec.source?.path));
  });
  watchers.deployments.store.subscribe(({ type, object, old }) => {
    seen.events += 1;
    const revision = object.status?.sync?.revision;
    if (type !== 'modified') return;
    if (!revision && JSON.stringify(old?.status) !== JSON.stringify(object.status)) seen.firstStatuses += 1;
    if (!revision) return;
    const sentMs = sent.get(revision);
    if (sentMs !== undefined) seen.latencies.push(systemClock.monotonicMs() - sentMs);
    sent.delete(revision);
    sights.see(statusSight(applicationNameFor(object.metadata.uid ?? ''), revision));
  });
  const argoCd = playArgoCd({
    client: connect(),
    store: watchers.applications.store,
    namespace: argocdNamespace,
    onReport: (revision) => void sent.set(revision, systemClock.monotonicMs()),
    onError: fail,
  });
  for (const watcher of Object.values(watchers)) {
    watcher.start();
    stack.defer(() => watcher.stop());
  }
  await Promise.all(Object.values(watchers).map((watcher) => watcher.whenSynced(signal)));
  return {
    applications: watchers.applications.store,
    deployments: watchers.deployments.store,
    argoCd,
    sights,
    eventsSeen: () => seen.events,
    takeStatusLatencies: () => seen.latencies.splice(0),
    takeFirstStatuses() {
      const { firstStatuses } = seen;
      seen.firstStatuses = 0;
      return firstStatuses;
    },
  };
};

/** The sight of an Application with this path, which ends with a number that counts up. */
export const pathSight = (path = ''): Sight => {
  const cut = path.lastIndexOf('/');
  return { of: `an Application for ${path.slice(0, cut)}`, version: Number(path.slice(cut + 1)) };
};

/** The sight of an Application's end. */
export const goneSight = (name: string): Sight => ({ of: `the end of the Application ${name}`, version: 1 });

/** The sight of a status with this revision, on the GitOpsDeployment that an Application belongs to. */
export const statusSight = (applicationName: string, revision: string): Sight => ({
  of: `the status of ${applicationName}`,
  version: revisionNumber(revision),
});
