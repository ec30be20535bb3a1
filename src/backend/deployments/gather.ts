// Step 2: everything one pass needs to know. Reads only.
import { deploymentSpec, gitOpsDeployments, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import {
  selectDeploymentFacts,
  type DeletionJson,
  type DeploymentFactsKey,
  type DeploymentFactsRow,
  type LinkJson,
} from '../../db/queries/deployment-facts.ts';
import type { Queryable } from '../../db/pool.ts';
import type {
  DeletionFacts,
  DeploymentFacts,
  DeploymentLink,
  EngineFacts,
  NamespaceFacts,
} from '../../domain/deployment-facts.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import { engineIn } from '../engine.ts';
import { createRowReader, namespaceFacts, operationFacts } from '../facts.ts';
import { proveIdentity, readNamespace } from '../identity.ts';
import { laneOf, type Lane } from '../lane.ts';
import type { DeploymentContext } from './context.ts';

/** Gathers the facts about a key. */
export type Gather = (key: string) => Promise<DeploymentFacts>;

/** Creates the gather step. Keys that are gathered at the same time share one statement. */
export const createGather = (context: DeploymentContext): Gather => {
  const rowOf = createRowReader((keys: readonly DeploymentFactsKey[], engine) =>
    selectDeploymentFacts(context.db, keys, engine),
  );
  const warnOfOthers = createWarning(context);
  return async (laneText) => {
    const lane = laneOf(laneText);
    const engine = engineIn(context.namespaces, context.engineNamespace);
    const namespace = namespaceFacts(context, lane);
    const cached = namespace && context.deployments.get(`${namespace.name}/${lane.name}`);
    const key = factsKey(lane, namespace, cached);
    const row = withoutOthers(await rowOf(key, engine), engine, warnOfOthers);
    const links = (row.links ?? []).map((link) => ({
      uid: link.uid,
      generation: link.generation,
      namespace: link.namespace ?? '',
    }));
    const sources = { ...context, resource: gitOpsDeployments, store: context.deployments };
    const { object: deployment, gone, live } = await proveIdentity(sources, { lane, namespace, cached, links });
    context.laneIndex.learn(
      lane,
      [...(row.links ?? []), ...(row.deletions ?? [])].map(({ applicationId }) => applicationId),
    );
    return toFacts({ lane, namespace, engine, row, deployment, gone, live });
  };
};

/**
 * The facts about a deployment that no pass has met, if nothing speaks against its being new; undefined where something
 * does. Then its rows can be written without reading first: the transaction reads them anyway, and tells a mistake.
 */
export const assumeNew = async (context: DeploymentContext, key: string): Promise<DeploymentFacts | undefined> => {
  const lane = laneOf(key);
  const namespace = namespaceFacts(context, lane);
  const cached = namespace && context.deployments.get(`${namespace.name}/${lane.name}`);
  if (!cached || cached.status || cached.metadata.deletionTimestamp || context.laneIndex.knows(lane)) return undefined;
  if (deploymentSpec(cached).destination?.environment) return undefined;
  const engine = engineIn(context.namespaces, context.engineNamespace);
  if ((await readNamespace(context, namespace.name)) !== lane.namespaceUid) return undefined;
  return toFacts({ lane, namespace, engine, row: noRows, deployment: cached, gone: new Set(), live: false });
};

const noRows: DeploymentFactsRow = {
  user_id: null,
  instance_id: null,
  own_environment_id: null,
  named_environment_id: null,
  repository_known: false,
  namesake_left: false,
  links: null,
  deletions: null,
};

/** The same facts with the rows read again, inside a transaction that holds the tenant's lock. */
export const gatherAgain = async (tx: Queryable, facts: DeploymentFacts): Promise<DeploymentFacts> => {
  const key = factsKey(facts, facts.namespace, facts.deployment);
  const [row] = await selectDeploymentFacts(tx, [key], facts.engine);
  return row ? toFacts({ ...facts, lane: facts, row: withoutOthers(row, facts.engine, () => undefined) }) : facts;
};

/** Rows of an engine in another cluster are that cluster's backend's: nothing here proves anything about them. */
const withoutOthers = (row: DeploymentFactsRow, engine: EngineFacts, found: () => void): DeploymentFactsRow => {
  const isMine = ({ clusterUid }: { readonly clusterUid: string | null }): boolean =>
    clusterUid === null || clusterUid === engine.clusterUid;
  const links = (row.links ?? []).filter(isMine);
  const deletions = (row.deletions ?? []).filter(isMine);
  if (links.length < (row.links?.length ?? 0) || deletions.length < (row.deletions?.length ?? 0)) found();
  return { ...row, links, deletions };
};

/** Says once that the database serves another cluster too: most often a wrong kubeconfig or database. */
const createWarning = ({ log }: DeploymentContext): (() => void) => {
  let told = false;
  return () => {
    if (!told)
      log.error('the database has deployments of another cluster; they are left alone. Is this the right cluster?');
    told = true;
  };
};

const factsKey = (
  { namespaceUid, name }: Lane,
  namespace: NamespaceFacts | undefined,
  deployment: GitOpsDeployment | undefined,
): DeploymentFactsKey => {
  const spec = deployment && deploymentSpec(deployment);
  return {
    namespaceUid,
    namespace: namespace?.name ?? '',
    name,
    uid: deployment?.metadata.uid ?? '',
    repositoryUrl: spec ? normalizeGitUrl(spec.source.repoURL) : '',
    environmentName: objectName(spec?.destination?.environment ?? ''),
  };
};

/** A text that can be an object's name (DNS-1123 subdomain); '' for any other: no such object can exist. */
const objectName = (text: string): string => (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text) ? text : '');

const toFacts = (
  known: Pick<DeploymentFacts, 'namespace' | 'engine' | 'deployment' | 'gone' | 'live'> & {
    readonly lane: Lane;
    readonly row: DeploymentFactsRow;
  },
): DeploymentFacts => {
  const { lane, row, namespace, engine, deployment, gone, live } = known;
  return {
    namespaceUid: lane.namespaceUid,
    name: lane.name,
    namespace,
    engine,
    deployment,
    gone,
    live,
    ids: {
      userId: row.user_id ?? undefined,
      engineInstanceId: row.instance_id ?? undefined,
      ownEnvironmentId: row.own_environment_id ?? undefined,
    },
    namedEnvironmentId: row.named_environment_id ?? undefined,
    repositoryKnown: row.repository_known,
    links: (row.links ?? []).map(toLink),
    deletions: (row.deletions ?? []).map(toDeletion),
    namesakeLeft: row.namesake_left,
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
  operations: operationFacts(operations),
});

const toDeletion = ({ uid, applicationId, at, operations }: DeletionJson): DeletionFacts => ({
  deploymentUid: uid,
  applicationId,
  requestedAt: at,
  operations: operationFacts(operations),
});
