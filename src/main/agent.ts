// The composition root of the agent.
import { startAgent, type AgentWorkContext } from '../agent/agent.ts';
import { applicationIndexers, secretIndexers, withoutForeignContent } from '../agent/context.ts';
import { createEngine } from '../agent/engine.ts';
import { appProjects } from '../api/argocd/app-project.ts';
import { applications } from '../api/argocd/application.ts';
import { secretTypeLabel } from '../api/labels.ts';
import { operations } from '../api/v1alpha1/operation.ts';
import { readOrigin } from '../db/schema.ts';
import { secrets } from '../kube/object.ts';
import type { SettingValues } from '../lib/config.ts';
import type { Part } from '../runtime/process.ts';
import { createWatcher } from '../runtime/watcher.ts';
import type { HalfContext } from './backend.ts';
import { cachesPart, workPart } from './parts.ts';
import type { ProcessDatabase } from './platform.ts';
import type { agentSettings } from './settings.ts';

type Settings = Omit<SettingValues<typeof agentSettings>, 'healthAddress' | 'metricsAddress'>;

/** The parts of the agent, after the database is ready. */
export const agentParts = ({
  platform,
  client,
  database,
  probes,
  settings,
  keyring,
}: HalfContext<Settings>): readonly Part[] => {
  const namespace = settings.argocdNamespace;
  const watched = { ...platform, client, namespace };
  const knownApplications = createWatcher({ ...watched, resource: applications, indexers: applicationIndexers });
  const projects = createWatcher({ ...watched, resource: appProjects });
  const tickets = createWatcher({ ...watched, resource: operations });
  const engineSecrets = createWatcher({
    ...watched,
    resource: secrets,
    labelSelector: secretTypeLabel,
    indexers: secretIndexers,
    transform: withoutForeignContent,
  });
  const begin = async (lost: AbortSignal) => {
    const { blockedAfterMs, orphanAgeMs, orphanSecondLookMs, maxOrphans } = settings;
    const ownNamespaceOnly = await isOwnNamespaceOnly(database, settings);
    const context: AgentWorkContext = {
      ...platform,
      ...settings,
      resyncMs: settings.selfHealMs ?? settings.resyncMs,
      client,
      db: database.pool,
      listen: { ...database.options, random: platform.random },
      engine: createEngine(client, namespace),
      applications: knownApplications.store,
      projects: projects.store,
      operations: tickets.store,
      secrets: engineSecrets.store,
      keyring,
      settings: { ownNamespaceOnly, blockedAfterMs, orphanAgeMs, orphanSecondLookMs, maxOrphans },
    };
    return startAgent(context, lost);
  };
  return [
    cachesPart(
      { applications: knownApplications, appprojects: projects, operations: tickets, secrets: engineSecrets },
      probes,
    ),
    workPart(platform, { name: 'agent', client, settings, begin }),
  ];
};

/** As told; beside the original, and for a database of it, destinations are as free as they were there. */
const isOwnNamespaceOnly = async ({ pool }: ProcessDatabase, settings: Settings): Promise<boolean> => {
  if (settings.ownNamespaceOnly !== 'auto') return settings.ownNamespaceOnly === 'on';
  return settings.compat !== 'original' && (await readOrigin(pool)) === 'created';
};
