// What the parts of the agent share.
import { appProjects, type AppProject } from '../api/argocd/app-project.ts';
import { applications, type Application } from '../api/argocd/application.ts';
import { credentialIdOf, databaseIdLabel, managedEnvironmentIdOf } from '../api/labels.ts';
import type { Database } from '../db/pool.ts';
import { normalizeGitUrl } from '../domain/repository-url.ts';
import type { KubeClient } from '../kube/client.ts';
import { secrets, type Secret } from '../kube/object.ts';
import type { Clock } from '../lib/clock.ts';
import type { Keyring } from '../lib/envelope.ts';
import type { Logger } from '../lib/log.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { Random } from '../lib/random.ts';
import type { Indexers, StoreReader } from '../runtime/store.ts';
import type { Engine } from './engine.ts';
import { createInTurn, type InTurn } from './in-turn.ts';
import { createWrittenReader, type WrittenReader } from './written.ts';

/** Rules that an operator sets. Times in milliseconds. */
export interface AgentSettings {
  /** In-cluster destinations of a tenant's project are its own namespace, not all. */
  readonly ownNamespaceOnly: boolean;
  /** How long a deletion may take before the user is told what it waits for. */
  readonly blockedAfterMs: number;
  /** How old a Secret has to be before it is removed for having no row. */
  readonly orphanAgeMs: number;
  /** How long after a first look a Secret without a row is looked at again, and then removed. */
  readonly orphanSecondLookMs: number;
  /** How many Secrets may be without a row at once, and still be removed. */
  readonly maxOrphans: number;
}

/** The surroundings of the agent's parts. */
export interface AgentContext {
  readonly client: KubeClient;
  readonly db: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly engine: Engine;
  /** Argo CD's Applications, with `applicationIndexers`. */
  readonly applications: StoreReader<Application>;
  readonly projects: StoreReader<AppProject>;
  /** Argo CD's Secrets of clusters and repositories, with `secretIndexers`. */
  readonly secrets: StoreReader<Secret>;
  /** Opens tokens, passwords and keys that rows keep sealed. */
  readonly keyring: Keyring;
  readonly settings: AgentSettings;
}

/** What handlers share. */
export interface SharedWork {
  /** What is read here is never older than what handlers wrote. */
  readonly present: {
    readonly applications: WrittenReader<Application>;
    readonly projects: WrittenReader<AppProject>;
    readonly secrets: WrittenReader<Secret>;
  };
  /**
   * Turns by the id of a tenant's row: what is written to its project, and what counts on that, is done in one. Inside of
   * it come turns of a Secret, by its name.
   */
  readonly inTurn: InTurn;
}

/** Creates what the handlers of one agent share. */
export const createSharedWork = (agent: AgentContext): SharedWork => ({
  present: {
    applications: createWrittenReader({ ...agent, resource: applications, store: agent.applications }),
    projects: createWrittenReader({ ...agent, resource: appProjects, store: agent.projects }),
    secrets: createWrittenReader({ ...agent, resource: secrets, store: agent.secrets }),
  },
  inTurn: createInTurn(),
});

/** What one pass of a handler works with. */
export interface HandlerContext extends AgentContext, SharedWork {
  /** Aborts when the pass has to end; every call takes it, so that a late one makes nothing. */
  readonly signal: AbortSignal;
}

/** Finds Applications by the id of their row, by their project, and by the name of their cluster. */
export const applicationIndexers = {
  databaseId: (application: Application) => {
    const id = application.metadata.labels?.[databaseIdLabel];
    return id ? [id] : [];
  },
  project: (application: Application) => [application.spec.project],
  cluster: ({ spec }: Application) => (spec.destination.name ? [spec.destination.name] : []),
} satisfies Indexers<Application>;

/** Finds the repository Secrets that are ours by the key of their repository. */
export const secretIndexers = {
  repository: (secret: Secret) => {
    const url = credentialIdOf(secret.metadata.name) && normalizeGitUrl(secretText(secret, 'url'));
    return url ? [url] : [];
  },
} satisfies Indexers<Secret>;

/** A value of a Secret as text; '' where there is none. */
export const secretText = ({ data }: Secret, key: string): string =>
  Buffer.from(data?.[key] ?? '', 'base64').toString('utf8');

/** Takes the content out of Secrets that are not ours: it is nobody's business here. */
export const withoutForeignContent = (secret: Secret): Secret => {
  const { name } = secret.metadata;
  if (managedEnvironmentIdOf(name) === undefined && credentialIdOf(name) === undefined) delete secret.data;
  return secret;
};
