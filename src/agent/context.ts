// What the parts of the agent share.
import { appProjects, type AppProject } from '../api/argocd/app-project.ts';
import { applications, type Application } from '../api/argocd/application.ts';
import { databaseIdLabel } from '../api/labels.ts';
import type { Database } from '../db/pool.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Clock } from '../lib/clock.ts';
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
  readonly settings: AgentSettings;
}

/** What handlers share. */
export interface SharedWork {
  /** What is read here is never older than what handlers wrote. */
  readonly present: {
    readonly applications: WrittenReader<Application>;
    readonly projects: WrittenReader<AppProject>;
  };
  /** Turns by the id of a tenant's row: what is written to its project, and what counts on that, is done in one. */
  readonly inTurn: InTurn;
}

/** Creates what the handlers of one agent share. */
export const createSharedWork = (agent: AgentContext): SharedWork => ({
  present: {
    applications: createWrittenReader({ ...agent, resource: applications, store: agent.applications }),
    projects: createWrittenReader({ ...agent, resource: appProjects, store: agent.projects }),
  },
  inTurn: createInTurn(),
});

/** What one pass of a handler works with. */
export interface HandlerContext extends AgentContext, SharedWork {
  /** Aborts when the pass has to end; every call takes it, so that a late one makes nothing. */
  readonly signal: AbortSignal;
}

/** Finds Applications by the id of their row, and by their project. */
export const applicationIndexers = {
  databaseId: (application: Application) => {
    const id = application.metadata.labels?.[databaseIdLabel];
    return id ? [id] : [];
  },
  project: (application: Application) => [application.spec.project],
} satisfies Indexers<Application>;
