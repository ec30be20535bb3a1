// Decides what the rows of one repository credential should be. Pure: facts in, plan out; what the team has to mend is thrown.
import { waitingFault } from '../api/reasons.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { parseTime } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import { judgeCheck, type CheckRules, type CheckSettings } from './check-facts.ts';
import type { CredentialFacts, CredentialLink } from './credential-facts.ts';
import { readCredential, type CredentialWish } from './credential-wish.ts';
import { openOperations, standingFailure } from './operation.ts';
import { assertTurn } from './turn.ts';

/** Rules that an operator sets. Milliseconds. */
export interface CredentialSettings extends CheckSettings {
  /** How long a failed Operation stands before it is tried again. */
  readonly retryFailedMs: number;
}

/** What credentials are judged by. */
export interface CredentialRules extends CredentialSettings, CheckRules {}

/** A row that is to be made or changed, or of which the agent is to be told again. */
export interface CredentialWrite {
  readonly credentialUid: string;
  readonly generation: number;
  readonly wish: CredentialWish;
  /** The present link, if there is one. */
  readonly link: CredentialLink | undefined;
  /** True when the agent has to be told, also where the row says the same already. */
  readonly tell: boolean;
}

/** What apply has to bring about, and what is to be asked of the Git server meanwhile. */
export interface CredentialPlan {
  /** Links of credentials that are gone. */
  readonly remove: readonly CredentialLink[];
  readonly write: CredentialWrite | undefined;
  /** What is to be checked. */
  readonly ask: CredentialWish | undefined;
  /** What stands in the way, after all of the above. */
  readonly fault: Fault | undefined;
}

/** True when the plan has something to write. */
export const writesCredential = (plan: CredentialPlan): boolean => plan.remove.length > 0 || plan.write !== undefined;

/**
 * The plan for one credential at time `nowMs`. What is proven to be gone is removed before anything else. What was good
 * stays as it is until something else is proven to be.
 * @throws Fault('user') on a bad spec or Secret, Fault('waiting') when it is not this credential's turn.
 */
export const planCredential = (facts: CredentialFacts, rules: CredentialRules, nowMs: number): CredentialPlan => {
  const remove = facts.links.filter((link) => facts.gone.has(link.credentialUid));
  const { credential } = facts;
  const nothing: CredentialPlan = { remove, write: undefined, ask: undefined, fault: undefined };
  if (remove.length > 0 || !credential || credential.metadata.deletionTimestamp !== undefined) return nothing;
  return { ...nothing, ...planLive(facts, credential, { ...rules, nowMs }) };
};

type When = CredentialRules & { readonly nowMs: number };

const planLive = (
  facts: CredentialFacts,
  credential: GitOpsDeploymentRepositoryCredential,
  when: When,
): Pick<CredentialPlan, 'write' | 'ask' | 'fault'> => {
  const { uid = '', generation = 0 } = credential.metadata;
  const link = facts.links.find((one) => one.credentialUid === uid);
  assertTurn(facts, link, generation);
  const read = readCredential(credential, facts.secret);
  const [inputHash] = when.fingerprints(read.inputHash);
  const wish = { ...read, inputHash };
  const { ask, result } = judgeCheck(facts.check, wish, when);
  const question = ask ? wish : undefined;
  if (!result) {
    const fault = waitingFault('CheckPending', 'the credential is being checked');
    return { write: undefined, ask: question, fault };
  }
  if (result.reason !== '') {
    return { write: undefined, ask: question, fault: new Fault('user', result.reason, result.message) };
  }
  const tell = !isPlaced(facts, link) || isDue(link, when);
  const right = !tell && link?.row?.inputHash === wish.inputHash;
  const write = right ? undefined : { credentialUid: uid, generation, wish, link, tell };
  return { write, ask: question, fault: write ? undefined : faultOf(link) };
};

/** True when everything around the credential itself is right. */
const isPlaced = (facts: CredentialFacts, link: CredentialLink | undefined): boolean =>
  link?.row !== undefined &&
  link.inPlace &&
  facts.repositoryKnown &&
  link.row.userId === facts.userId &&
  link.row.instanceId === facts.engineInstanceId;

/** True when the agent has failed, and long enough ago to be told anew. */
const isDue = (link: CredentialLink | undefined, { nowMs, retryFailedMs }: When): boolean => {
  const operations = link?.operations ?? [];
  const failure = standingFailure(operations);
  const sinceMs = parseTime(failure?.lastStateUpdate);
  return openOperations(operations).length === 0 && sinceMs !== undefined && sinceMs + retryFailedMs <= nowMs;
};

/** What the agent has said of the Operation that failed, or waits. */
const faultOf = (link: CredentialLink | undefined): Fault | undefined => {
  const operations = link?.operations ?? [];
  const open = openOperations(operations).at(-1);
  if (open) return waitingFault('OperationPending', open.message || 'waiting for the agent');
  const failure = standingFailure(operations);
  return failure && new Fault('user', 'OperationFailed', failure.message);
};
