// Step 2: everything one pass needs to know. Reads only.
import { gitOpsDeployments, deploymentSpec, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import { internalFault } from '../../api/reasons.ts';
import {
  selectDeploymentFacts,
  type DeletionJson,
  type DeploymentFactsKey,
  type DeploymentFactsRow,
  type EngineKey,
  type LinkJson,
  type OperationJson,
} from '../../db/queries/deployment-facts.ts';
import type { Queryable } from '../../db/pool.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import type {
  DeletionFacts,
  DeploymentFacts,
  DeploymentLink,
  EngineFacts,
  NamespaceFacts,
  OperationFacts,
} from '../../domain/deployment-facts.ts';
import type { OperationState } from '../../domain/operation.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import { namespaces } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { createBatch } from '../../lib/batch.ts';
import type { DeploymentContext } from './context.ts';
import { laneOf, type DeploymentLane } from './lane.ts';

/** Gathers the facts about a key. */
export type Gather = (key: string) => Promise<DeploymentFacts>;

/** Creates the gather step. Keys that are gathered at the same time share one statement. */
export const createGather = (context: DeploymentContext): Gather => {
  const rowOf = createBatch<{ key: DeploymentFactsKey; engine: EngineKey }, DeploymentFactsRow>({
    ...statementBatch,
    run: async (asked) => {
      const [first] = asked; // one engine serves every tenant of a process
      return first
        ? selectDeploymentFacts(
            context.db,
            asked.map((one) => one.key),
            first.engine,
          )
        : [];
    },
  });
  return async (key) => {
    const lane = laneOf(key);
    const engine = engineFacts(context);
    const namespace = namespaceFacts(context, lane);
    const cached = namespace && context.deployments.get(`${namespace.name}/${lane.name}`);
    const row = await rowOf({ key: factsKey(lane, cached), engine });
    const live = await proveIdentity(context, { lane, namespace, cached, row });
    return toFacts({ lane, namespace, engine, row, ...live });
  };
};

/** The same facts with the rows read again, inside a transaction that holds the tenant's lock. */
export const gatherAgain = async (tx: Queryable, facts: DeploymentFacts): Promise<DeploymentFacts> => {
  const [row] = await selectDeploymentFacts(tx, [factsKey(facts, facts.deployment)], facts.engine);
  return row ? toFacts({ ...facts, lane: facts, row }) : facts;
};

const factsKey = ({ namespaceUid, name }: DeploymentLane, deployment: GitOpsDeployment | undefined) => {
  const spec = deployment && deploymentSpec(deployment);
  return {
    namespaceUid,
    name,
    repositoryUrl: spec ? normalizeGitUrl(spec.source.repoURL) : '',
    environmentName: spec?.destination?.environment ?? '',
  };
};

const engineFacts = ({ namespaces: known, engineNamespace }: DeploymentContext): EngineFacts => {
  const namespaceUid = known.get(engineNamespace)?.metadata.uid;
  const clusterUid = known.get('kube-system')?.metadata.uid;
  if (!namespaceUid)
    throw internalFault('EngineNotFound', `the namespace of Argo CD, ${engineNamespace}, does not exist`);
  if (!clusterUid)
    throw internalFault('EngineNotFound', 'the namespace kube-system, which identifies the cluster, does not exist');
  return { namespace: engineNamespace, namespaceUid, clusterUid };
};

const namespaceFacts = (context: DeploymentContext, lane: DeploymentLane): NamespaceFacts | undefined => {
  const found = context.namespaces.byUid(lane.namespaceUid);
  return (
    found && {
      name: found.metadata.name,
      uid: lane.namespaceUid,
      deleting: found.metadata.deletionTimestamp !== undefined,
    }
  );
};

interface Seen {
  readonly lane: DeploymentLane;
  readonly namespace: NamespaceFacts | undefined;
  readonly cached: GitOpsDeployment | undefined;
  readonly row: DeploymentFactsRow;
}

/**
 * Who bears this name now. The cache is believed as long as nothing would be removed; what would have rows removed is
 * read live, and an absence counts only as `Absences` says.
 */
const proveIdentity = async (
  context: DeploymentContext,
  { lane, namespace, cached, row }: Seen,
): Promise<Pick<DeploymentFacts, 'deployment' | 'absence'>> => {
  const { absences } = context;
  const linked = (row.links ?? []).map((link) => link.uid);
  const settled = cached && !cached.metadata.deletionTimestamp && linked.every((uid) => uid === cached.metadata.uid);
  if (settled || linked.length === 0) return { deployment: cached, absence: cached ? 'proven' : 'unproven' };

  const name = namespace?.name ?? row.links?.[0]?.namespace ?? '';
  const present = await readNamespace(context, name);
  const live =
    present === lane.namespaceUid ? await readDeployment(context, { namespace: name, name: lane.name }) : undefined;
  if (live?.metadata.uid) absences.sawPresence(live.metadata.uid);
  const gone = linked.filter((uid) => uid !== live?.metadata.uid);
  // A live object of this name under another UID is proof by itself: a name is borne once.
  const proven = live !== undefined || gone.map((uid) => absences.isGone(uid)).every(Boolean);
  return { deployment: live, absence: proven ? 'proven' : 'unproven' };
};

/** The UID of the namespace that bears this name now; undefined when there is none. */
const readNamespace = async ({ client, lost }: DeploymentContext, name: string): Promise<string | undefined> => {
  try {
    return (await client.get(namespaces, { name }, { signal: lost })).metadata.uid;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const readDeployment = async (
  { client, lost }: DeploymentContext,
  ref: { readonly namespace: string; readonly name: string },
): Promise<GitOpsDeployment | undefined> => {
  try {
    return await client.get(gitOpsDeployments, ref, { signal: lost });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const toFacts = (
  known: Pick<DeploymentFacts, 'namespace' | 'engine' | 'deployment' | 'absence'> & {
    readonly lane: DeploymentLane;
    readonly row: DeploymentFactsRow;
  },
): DeploymentFacts => {
  const { lane, row, namespace, engine, deployment, absence } = known;
  return {
    namespaceUid: lane.namespaceUid,
    name: lane.name,
    namespace,
    engine,
    deployment,
    absence,
    ids: {
      userId: row.user_id ?? undefined,
      engineInstanceId: row.instance_id ?? undefined,
      ownEnvironmentId: row.own_environment_id ?? undefined,
    },
    namedEnvironmentId: row.named_environment_id ?? undefined,
    repositoryKnown: row.repository_known,
    links: (row.links ?? []).map(toLink),
    deletions: (row.deletions ?? []).map(toDeletion),
  };
};

const toLink = ({ uid, generation, applicationId, application, status, operations }: LinkJson): DeploymentLink => ({
  deploymentUid: uid,
  generation,
  applicationId,
  application: application
    ? {
        id: applicationId,
        name: application.name,
        specField: application.specField,
        engineInstanceId: application.instanceId,
        environmentId: application.environmentId,
        normalizedRepoUrl: application.repositoryUrl,
        hasOwner: application.owned,
      }
    : undefined,
  storedStatus: status,
  operations: (operations ?? []).map(toOperation),
});

const toDeletion = ({ uid, applicationId, at, operations }: DeletionJson): DeletionFacts => ({
  deploymentUid: uid,
  applicationId,
  requestedAt: at,
  operations: (operations ?? []).map(toOperation),
});

const toOperation = ({ id, state, message, at, ours }: OperationJson): OperationFacts => ({
  id,
  state: state as OperationState, // both halves write only these
  message: message ?? '',
  lastStateUpdate: at,
  ours,
});
