// The composition root of the backend.
import { gitOpsDeploymentSyncRuns } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments } from '../api/v1alpha1/gitops-deployment.ts';
import { namespaceIndexer } from '../backend/lanes.ts';
import { syncRunIndexers } from '../backend/sync-runs/context.ts';
import { startBackend, type BackendContext } from '../backend/backend.ts';
import { selectUsesProjects } from '../db/queries/application.ts';
import { readOrigin } from '../db/schema.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces } from '../kube/object.ts';
import type { SettingValues } from '../lib/config.ts';
import type { Probes } from '../lib/probes.ts';
import type { Part } from '../runtime/process.ts';
import { createWatcher } from '../runtime/watcher.ts';
import { cachesPart, workPart } from './parts.ts';
import type { Platform, ProcessDatabase } from './platform.ts';
import type { backendSettings } from './settings.ts';

type Settings = Omit<SettingValues<typeof backendSettings>, 'healthAddress' | 'metricsAddress'>;

/** What a half of the service runs on. */
export interface HalfContext<S> {
  readonly platform: Platform;
  readonly client: KubeClient;
  readonly database: ProcessDatabase;
  readonly probes: Probes;
  readonly settings: S;
}

/** The parts of the backend, after the database is ready. */
export const backendParts = ({
  platform,
  client,
  database,
  probes,
  settings,
}: HalfContext<Settings>): readonly Part[] => {
  const deployments = createWatcher({ ...platform, client, resource: gitOpsDeployments, indexers: namespaceIndexer });
  const syncRuns = createWatcher({
    ...platform,
    client,
    resource: gitOpsDeploymentSyncRuns,
    indexers: syncRunIndexers,
  });
  const knownNamespaces = createWatcher({ ...platform, client, resource: namespaces });
  probes.check('argocd', () =>
    !knownNamespaces.synced || knownNamespaces.store.get(settings.argocdNamespace)
      ? undefined
      : `its namespace ${settings.argocdNamespace} does not exist`,
  );
  const begin = async (lost: AbortSignal) => {
    const context: BackendContext = {
      ...platform,
      client,
      db: database.pool,
      listen: { ...database.options, random: platform.random },
      deployments: deployments.store,
      syncRuns: syncRuns.store,
      namespaces: knownNamespaces.store,
      settings: {
        ...settings,
        standardConditions: settings.standardConditions && settings.compat !== 'original',
        resyncMs: settings.selfHealMs ?? settings.resyncMs,
        engineNamespace: settings.argocdNamespace,
        projectIsolation: await projectIsolation(database, settings),
      },
    };
    return startBackend(context, lost);
  };
  return [
    cachesPart(
      { namespaces: knownNamespaces, gitopsdeployments: deployments, gitopsdeploymentsyncruns: syncRuns },
      probes,
    ),
    workPart(platform, { name: 'backend', client, settings, begin }),
  ];
};

/** Isolation as told; beside the original, and for a database of it, as it was there. */
const projectIsolation = async ({ pool }: ProcessDatabase, settings: Settings): Promise<boolean> => {
  if (settings.originalIsolation) return true;
  if (settings.projectIsolation !== 'auto') return settings.projectIsolation === 'on';
  const isOurs = settings.compat !== 'original' && (await readOrigin(pool)) === 'created';
  return isOurs || (await selectUsesProjects(pool));
};
