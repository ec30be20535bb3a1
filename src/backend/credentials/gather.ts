// Everything one pass needs to know. Reads only.
import {
  gitOpsDeploymentRepositoryCredentials,
  type GitOpsDeploymentRepositoryCredential,
} from '../../api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { Queryable } from '../../db/pool.ts';
import {
  selectCredentialFacts,
  type CredentialFactsKey,
  type CredentialFactsRow,
  type CredentialLinkJson,
} from '../../db/queries/credential-facts.ts';
import type { CredentialFacts, CredentialLink } from '../../domain/credential-facts.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import { engineIn } from '../engine.ts';
import { createRowReader, namespaceFacts, operationFacts } from '../facts.ts';
import { proveIdentity } from '../identity.ts';
import { laneOf, type Lane } from '../lane.ts';
import { isInPlace, withoutOthers } from '../linked.ts';
import { readSecret } from '../tenant-secrets.ts';
import type { CredentialContext } from './context.ts';

/** Gathers the facts about a key. */
export type GatherCredential = (key: string) => Promise<CredentialFacts>;

/** Creates the gather step. Keys that are gathered at the same time share one statement. */
export const createGatherCredential = (context: CredentialContext): GatherCredential => {
  const rowOf = createRowReader((keys: readonly CredentialFactsKey[], engine) =>
    selectCredentialFacts(context.db, keys, engine),
  );
  return async (text) => {
    const lane = laneOf(text);
    const engine = engineIn(context.namespaces, context.engineNamespace);
    const namespace = namespaceFacts(context, lane);
    const cached = namespace && context.credentials.get(`${namespace.name}/${lane.name}`);
    const lastAnswer = context.repositories.lastAnswer(text);
    const row = withoutOthers(await rowOf(factsKey(lane, cached), engine), engine);
    const links = (row.links ?? []).filter((link) => isInPlace(link, lane));
    const sources = { ...context, resource: gitOpsDeploymentRepositoryCredentials, store: context.credentials };
    const { object, gone, live } = await proveIdentity(sources, { lane, namespace, cached, links });
    const secretRef = { namespace: namespace?.name ?? '', name: object?.spec?.secret ?? '' };
    const secret = object && (await readSecret(context, secretRef));
    const { namespaceUid, name } = lane;
    return toFacts(row, { namespaceUid, name, namespace, credential: object, secret, gone, live, engine, lastAnswer });
  };
};

/** The same facts with the rows read again, inside a transaction that holds the tenant's lock. */
export const gatherCredentialAgain = async (tx: Queryable, facts: CredentialFacts): Promise<CredentialFacts> => {
  const { engine } = facts;
  const [row] = await selectCredentialFacts(tx, [factsKey(facts, facts.credential)], engine);
  return row ? toFacts(withoutOthers(row, engine), facts) : facts;
};

const factsKey = (
  { namespaceUid, name }: Lane,
  credential: GitOpsDeploymentRepositoryCredential | undefined,
): CredentialFactsKey => ({
  namespaceUid,
  name,
  uid: credential?.metadata.uid ?? '',
  repositoryUrl: normalizeGitUrl(credential?.spec?.repository ?? ''),
});

type Known = Omit<CredentialFacts, 'userId' | 'engineInstanceId' | 'repositoryKnown' | 'links' | 'check'>;

const toFacts = (row: CredentialFactsRow, known: Known): CredentialFacts => ({
  ...known,
  userId: row.user_id ?? undefined,
  engineInstanceId: row.instance_id ?? undefined,
  repositoryKnown: row.repository_known,
  links: (row.links ?? []).map((link) => toLink(link, known)),
  check: row.check ?? undefined,
});

const toLink = (link: CredentialLinkJson, lane: Lane): CredentialLink => ({
  credentialUid: link.uid,
  inPlace: isInPlace(link, lane),
  generation: link.generation,
  id: link.id,
  row: link.credential ?? undefined,
  operations: operationFacts(link.operations),
});
