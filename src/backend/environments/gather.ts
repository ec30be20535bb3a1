// Everything one pass needs to know. Reads only.
import {
  gitOpsDeploymentManagedEnvironments,
  type GitOpsDeploymentManagedEnvironment,
} from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { Queryable } from '../../db/pool.ts';
import {
  selectEnvironmentFacts,
  type EnvironmentFactsKey,
  type EnvironmentFactsRow,
  type EnvironmentLinkJson,
} from '../../db/queries/environment-facts.ts';
import type { EnvironmentFacts, EnvironmentLink } from '../../domain/environment-facts.ts';
import { engineIn } from '../engine.ts';
import { createRowReader, namespaceFacts } from '../facts.ts';
import { proveIdentity } from '../identity.ts';
import { laneOf, type Lane } from '../lane.ts';
import { isInPlace, withoutOthers } from '../linked.ts';
import { readSecret } from '../tenant-secrets.ts';
import type { EnvironmentContext } from './context.ts';

/** Gathers the facts about a key. */
export type GatherEnvironment = (key: string) => Promise<EnvironmentFacts>;

/** Creates the gather step. Keys that are gathered at the same time share one statement. */
export const createGatherEnvironment = (context: EnvironmentContext): GatherEnvironment => {
  const rowOf = createRowReader((keys: readonly EnvironmentFactsKey[], engine) =>
    selectEnvironmentFacts(context.db, keys, engine),
  );
  return async (text) => {
    const lane = laneOf(text);
    const engine = engineIn(context.namespaces, context.engineNamespace);
    const namespace = namespaceFacts(context, lane);
    const cached = namespace && context.environments.get(`${namespace.name}/${lane.name}`);
    const lastAnswer = context.clusters.lastAnswer(text);
    const row = withoutOthers(await rowOf(factsKey(lane, cached), engine), engine);
    const links = (row.links ?? []).filter((link) => isInPlace(link, lane));
    const sources = { ...context, resource: gitOpsDeploymentManagedEnvironments, store: context.environments };
    const { object, gone, live } = await proveIdentity(sources, { lane, namespace, cached, links });
    const secretRef = { namespace: namespace?.name ?? '', name: object?.spec?.credentialsSecret ?? '' };
    const secret = object && (await readSecret(context, secretRef));
    const found = context.clusters.foundFor(text, object?.metadata.uid ?? '');
    const { namespaceUid, name } = lane;
    return toFacts(row, {
      namespaceUid,
      name,
      namespace,
      environment: object,
      secret,
      gone,
      live,
      engine,
      found,
      lastAnswer,
    });
  };
};

/** The same facts with the rows read again, inside a transaction that holds the tenant's lock. */
export const gatherEnvironmentAgain = async (tx: Queryable, facts: EnvironmentFacts): Promise<EnvironmentFacts> => {
  const { engine } = facts;
  const [row] = await selectEnvironmentFacts(tx, [factsKey(facts, facts.environment)], engine);
  return row ? toFacts(withoutOthers(row, engine), facts) : facts;
};

const factsKey = (
  { namespaceUid, name }: Lane,
  environment: GitOpsDeploymentManagedEnvironment | undefined,
): EnvironmentFactsKey => ({ namespaceUid, name, uid: environment?.metadata.uid ?? '' });

type Known = Omit<EnvironmentFacts, 'userId' | 'engineInstanceId' | 'links' | 'check'>;

const toFacts = (row: EnvironmentFactsRow, known: Known): EnvironmentFacts => ({
  ...known,
  userId: row.user_id ?? undefined,
  engineInstanceId: row.instance_id ?? undefined,
  links: (row.links ?? []).map((link) => toLink(link, known)),
  check: row.check ?? undefined,
});

const toLink = (link: EnvironmentLinkJson, lane: Lane): EnvironmentLink => ({
  environmentUid: link.uid,
  inPlace: isInPlace(link, lane),
  generation: link.generation,
  id: link.id,
  rows: link.environment
    ? {
        name: link.environment.name,
        credentialsId: link.environment.credentialsId,
        inputHash: link.environment.inputHash,
        tokenExpiresAt: link.environment.tokenExpiresAt,
        serviceAccount: link.environment.serviceAccount,
        host: link.environment.host,
        sealedToken: link.environment.token,
        insecure: link.environment.insecure,
        allowed: link.environment.allowed,
      }
    : undefined,
});
