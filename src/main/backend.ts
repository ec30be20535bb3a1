// The composition root of the backend.
import { gitOpsDeploymentSyncRuns } from '../api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments } from '../api/v1alpha1/gitops-deployment.ts';
import { gitOpsDeploymentManagedEnvironments } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { managedEnvironmentSecretType, repositoryCredentialSecretType } from '../api/labels.ts';
import { credentialIndexers } from '../backend/credentials/context.ts';
import { deploymentIndexers } from '../backend/deployments/context.ts';
import { environmentIndexers } from '../backend/environments/context.ts';
import { syncRunIndexers } from '../backend/sync-runs/context.ts';
import { startBackend, type BackendContext } from '../backend/backend.ts';
import type { Outside } from '../backend/outside-lanes.ts';
import { selectUsesProjects } from '../db/queries/application.ts';
import { readOrigin } from '../db/schema.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces, secrets } from '../kube/object.ts';
import type { SettingValues } from '../lib/config.ts';
import type { Keyring } from '../lib/envelope.ts';
import type { Probes } from '../lib/probes.ts';
import type { Part } from '../runtime/process.ts';
import { createWatcher } from '../runtime/watcher.ts';
import { cachesPart, workPart } from './parts.ts';
import { createOutside } from './outside.ts';
import type { Platform, ProcessDatabase } from './platform.ts';
import type { backendSettings } from './settings.ts';

type Settings = Omit<SettingValues<typeof backendSettings>, 'healthAddress' | 'metricsAddress'>;

/** What a half of the service runs on. */
export interface HalfContext<S> {
  readonly platform: Platform;
  readonly client: KubeClient;
  readonly database: ProcessDatabase;
  readonly probes: Probes;
  /** Seals and opens the secrets of tenants in the rows. */
  readonly keyring: Keyring;
  /** What clusters and Git servers are asked by; over the network unless given. */
  readonly outside?: Outside;
  readonly settings: S;
}

/** The parts of the backend, after the database is ready. */
export const backendParts = ({
  platform,
  client,
  database,
  probes,
  keyring,
  settings,
  outside: given,
}: HalfContext<Settings>): readonly Part[] => {
  const { watchers, stores } = createWatchers(platform, client);
  const knownNamespaces = watchers.namespaces;
  const { outside, part: outsidePart } = given
    ? { outside: given, part: undefined }
    : createOutside(platform, settings);
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
      ...stores,
      keyring,
      outside,
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
    ...(outsidePart ? [outsidePart] : []),
    cachesPart(watchers, probes),
    workPart(platform, { name: 'backend', client, settings, begin }),
  ];
};

/** What the backend knows of the cluster. */
const createWatchers = (platform: Platform, client: KubeClient) => {
  const watched = { ...platform, client };
  const deployments = createWatcher({ ...watched, resource: gitOpsDeployments, indexers: deploymentIndexers });
  const syncRuns = createWatcher({ ...watched, resource: gitOpsDeploymentSyncRuns, indexers: syncRunIndexers });
  const environments = createWatcher({
    ...watched,
    resource: gitOpsDeploymentManagedEnvironments,
    indexers: environmentIndexers,
  });
  const credentials = createWatcher({
    ...watched,
    resource: gitOpsDeploymentRepositoryCredentials,
    indexers: credentialIndexers,
  });
  const knownNamespaces = createWatcher({ ...watched, resource: namespaces });
  const secretsOf = (type: string) => createWatcher({ ...watched, resource: secrets, fieldSelector: `type=${type}` });
  const environmentSecrets = secretsOf(managedEnvironmentSecretType);
  const credentialSecrets = secretsOf(repositoryCredentialSecretType);
  return {
    watchers: {
      namespaces: knownNamespaces,
      gitopsdeployments: deployments,
      gitopsdeploymentsyncruns: syncRuns,
      gitopsdeploymentmanagedenvironments: environments,
      gitopsdeploymentrepositorycredentials: credentials,
      'secrets of environments': environmentSecrets,
      'secrets of credentials': credentialSecrets,
    },
    stores: {
      namespaces: knownNamespaces.store,
      deployments: deployments.store,
      syncRuns: syncRuns.store,
      environments: environments.store,
      credentials: credentials.store,
      environmentSecrets: environmentSecrets.store,
      credentialSecrets: credentialSecrets.store,
    },
  };
};

/** Isolation as told; beside the original, and for a database of it, as it was there. */
const projectIsolation = async ({ pool }: ProcessDatabase, settings: Settings): Promise<boolean> => {
  if (settings.originalIsolation) return true;
  if (settings.projectIsolation !== 'auto') return settings.projectIsolation === 'on';
  const isOurs = settings.compat !== 'original' && (await readOrigin(pool)) === 'created';
  return isOurs || (await selectUsesProjects(pool));
};
