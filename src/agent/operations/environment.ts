// Managed environments: each one's cluster Secret is there before an Application needs it, and goes when none does.
import { applications, type Application } from '../../api/argocd/application.ts';
import { appProjectUserOf, databaseIdLabel, managedEnvironmentSecretName } from '../../api/labels.ts';
import { engineMessages } from '../../api/messages.ts';
import { userFault, waitingFault } from '../../api/reasons.ts';
import { selectEnvironmentTargets, type EnvironmentTargetRow } from '../../db/queries/agent-secrets.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { clusterSecret, type ArgoCdSecret } from '../../domain/argocd-secret.ts';
import { createBatch } from '../../lib/batch.ts';
import { parseTime } from '../../lib/clock.ts';
import type { AgentContext, HandlerContext, SharedWork } from '../context.ts';
import { readLive } from '../written.ts';
import { askForRefresh } from './ask-refresh.ts';
import { listApplications } from './list-applications.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';
import { isRightSecret, presentSecret, removeSecret, writeSecret } from './secret.ts';
import type { ProjectWork } from './tenant-project.ts';

/** The Application's events wake the lane; this only catches what they miss. */
const LOOK_AGAIN_MS = 10_000;

/** Rows that were read before a change are read again this much later. */
const STALE_AGAIN_MS = 200;

/** The token of an environment that is Argo CD's own cluster, which needs none. */
const PLACEHOLDER_TOKEN = 'serviceaccount_bearer_token';

/** What is done about environments. */
export interface EnvironmentWork {
  /** The handler of `ManagedEnvironment` Operations, which are about removed ones. */
  readonly carryOut: OperationHandler;
  /** Puts the cluster Secret right. One that is missing is made only where an Application needs it. */
  repair(environmentId: string, signal: AbortSignal): Promise<void>;
  /** Removes the cluster Secret, unless there is a row or an Application that needs it. */
  removeRowless(environmentId: string, signal: AbortSignal): Promise<void>;
}

/** An environment that an Application is to be deployed to. */
interface Destination {
  /** As it was last read. */
  readonly environment: EnvironmentTargetRow;
  /** Reads it anew. */
  readonly reread: () => Promise<EnvironmentTargetRow | null>;
}

/**
 * Makes the cluster Secret of an environment right, then writes what needs it, so that nobody removes the one before the
 * other is there.
 * @throws Fault('user', 'UnsupportedAPIURL'); Fault('waiting') where the environment has changed since it was read.
 */
export const writeWithCluster = (
  context: HandlerContext,
  { environment, reread }: Destination,
  write: () => Promise<void>,
): Promise<void> => {
  const name = managedEnvironmentSecretName(environment.id);
  return context.inTurn(name, async () => {
    if (!isRightSecret(await presentSecret(context, name), secretOf(context, environment))) {
      const now = await reread();
      // Removed meanwhile, or the Application goes elsewhere: another Operation came with that.
      if (now?.id !== environment.id) throw waitingFault('StaleCache', '', STALE_AGAIN_MS);
      await writeClusterSecret(context, now);
    }
    await write();
  });
};

/** Creates the work on environments. */
export const createEnvironmentWork = (
  agent: AgentContext,
  shared: SharedWork,
  projects: ProjectWork,
): EnvironmentWork => {
  const load = createBatch<string, EnvironmentTargetRow | null>({
    ...statementBatch,
    run: (ids) => selectEnvironmentTargets(agent.db, ids),
  });
  const passOf = (signal: AbortSignal): HandlerContext => ({ ...agent, ...shared, signal });
  return {
    async carryOut(ticket) {
      const { resourceId: id, signal } = ticket;
      const pass = passOf(signal);
      if (await load(id)) throw userFault('OperationFailed', engineMessages.environmentExists);
      const name = managedEnvironmentSecretName(id);
      const user = (await knownUser(pass, ticket, name)) ?? (await removeUnlessUsed(pass, name));
      if (user) {
        dependOn(ticket, user);
        throw waitingFault('WaitingForArgoCD', usedMessage(pass, ticket, { name, user }), LOOK_AGAIN_MS);
      }
      for (const userId of tenantsWith(pass, ticket, name)) await projects.trim(userId, signal);
    },
    async repair(id, signal) {
      const pass = passOf(signal);
      const name = managedEnvironmentSecretName(id);
      await pass.inTurn(name, async () => {
        const row = await load(id);
        if (!row || row.token === PLACEHOLDER_TOKEN) return;
        const isNeeded = pass.applications.byIndex('cluster', name).length > 0;
        if (isNeeded || (await presentSecret(pass, name))) await writeClusterSecret(pass, row);
      });
    },
    async removeRowless(id, signal) {
      if (await load(id)) return;
      await removeUnlessUsed(passOf(signal), managedEnvironmentSecretName(id));
    },
  };
};

const secretOf = ({ keyring }: AgentContext, row: EnvironmentTargetRow): ArgoCdSecret =>
  clusterSecret({
    id: row.id,
    host: row.host ?? '',
    token: keyring.open(row.token ?? ''),
    insecure: row.insecure ?? false,
    namespaces: row.namespaces ?? '',
    clusterResources: row.cluster_resources ?? false,
  });

/** Writes it where it is wrong, and has Argo CD look at what is deployed there. */
const writeClusterSecret = async (context: HandlerContext, row: EnvironmentTargetRow): Promise<void> => {
  const desired = secretOf(context, row);
  const { namespace } = context.engine;
  if (isRightSecret(await presentSecret(context, desired.name), desired)) return;
  await askForRefresh(context, context.applications.byIndex('cluster', desired.name), 'environment');
  await writeSecret(context, desired, {
    created: engineMessages.clusterSecretNotCreated(desired.name, namespace),
    updated: engineMessages.clusterSecretNotUpdated(desired.name, namespace),
  });
};

/** True for an Application that is deployed to the cluster of this name, be it by the cluster's URL. */
const uses = ({ spec: { destination } }: Application, name: string): boolean =>
  destination.name === name || isServerOf(destination.server ?? '', name);

const isServerOf = (server: string, name: string): boolean => {
  const id = /\?managedEnvironment=(.+)$/.exec(server)?.[1];
  return id !== undefined && managedEnvironmentSecretName(id) === name;
};

/** An Application that the cache has as a user of the cluster, read live. From its next event on it wakes the ticket. */
const knownUser = async (pass: HandlerContext, ticket: Ticket, name: string): Promise<Application | undefined> => {
  const [known] = pass.applications.byIndex('cluster', name);
  if (!known) return undefined;
  dependOn(ticket, known);
  const { client, signal, engine } = pass;
  const ref = { namespace: engine.namespace, name: known.metadata.name };
  const live = await readLive({ client, resource: applications }, ref, { signal });
  return live && uses(live, name) ? live : undefined;
};

/** Removes the cluster Secret when a live listing shows nobody who uses it; else gives one who does. */
const removeUnlessUsed = (pass: HandlerContext, name: string): Promise<Application | undefined> =>
  pass.inTurn(name, async () => {
    const user = (await listApplications(pass)).find((application) => uses(application, name));
    if (!user) await removeSecret(pass, name);
    return user;
  });

const dependOn = (ticket: Ticket, { metadata }: Application): void => {
  const id = metadata.labels?.[databaseIdLabel];
  if (id) ticket.dependsOn(id);
};

/** '' while the ticket is young; then who is waited for. */
const usedMessage = (
  { clock, settings }: AgentContext,
  { orderedAt }: Ticket,
  { name, user }: { readonly name: string; readonly user: Application },
): string => {
  const sinceMs = clock.now() - (parseTime(orderedAt) ?? clock.now());
  return sinceMs < settings.blockedAfterMs ? '' : `${name} waits for Application ${user.metadata.name}, which uses it`;
};

/** The tenants whose projects permit the cluster: by what the rows said, the owner's alone. */
const tenantsWith = ({ projects }: AgentContext, { ownerId }: Ticket, name: string): Set<string> => {
  const permitting = projects.list().filter(({ spec }) => spec.destinations?.some((one) => one.name === name));
  const userIds = permitting.flatMap(({ metadata }) => appProjectUserOf(metadata.name) ?? []);
  return new Set(ownerId === null ? userIds : [ownerId, ...userIds]);
};
