// Decides what the rows of one managed environment should be. Pure: facts in, plan out; what the team has to mend is thrown.
import { Fault } from '../lib/fault.ts';
import { waitingFault } from '../api/reasons.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { parseTime } from '../lib/clock.ts';
import { judgeCheck, type CheckRules } from './check-facts.ts';
import {
  mayBeOfAccount,
  type EnvironmentFacts,
  type EnvironmentFound,
  type EnvironmentLink,
  type EnvironmentRowFacts,
} from './environment-facts.ts';
import { readEnvironment, type EnvironmentWish } from './environment-wish.ts';
import { assertTurn } from './turn.ts';

/** Rows that are to be made or changed. */
export interface EnvironmentWrite {
  readonly environmentUid: string;
  readonly generation: number;
  readonly wish: EnvironmentWish;
  /** What the check has brought. */
  readonly found: EnvironmentFound;
  /** The present link, if there is one. */
  readonly link: EnvironmentLink | undefined;
}

/** A token that was made for the same wish before, as it is kept. */
export interface IssuedToken {
  readonly sealedToken: string;
  /** When it ends; undefined where nobody knows. */
  readonly expiresAtMs: number | undefined;
  /** The rows don't say yet that it is this wish's: the original wrote them, or the key was exchanged. That goes into them. */
  readonly adopted: boolean;
}

/** What is asked of the other side. */
export interface EnvironmentQuestion {
  readonly wish: EnvironmentWish;
  /** Undefined where a new token is wanted. */
  readonly issued: IssuedToken | undefined;
  /** The token that Argo CD has at present, as it is kept: also that of another URL, which may lead to the same cluster. */
  readonly sealedInUse: string | undefined;
  /** Whether that may be the token of a ServiceAccount that was made. */
  readonly accountInUse: boolean;
  /** Of the environment's object. */
  readonly namespace: string;
  /** Of its row; undefined before there is one. */
  readonly environmentId: string | undefined;
}

/** What apply has to bring about, and what is to be asked of the other side meanwhile. */
export interface EnvironmentPlan {
  /** Links of environments that are gone. */
  readonly remove: readonly EnvironmentLink[];
  readonly write: EnvironmentWrite | undefined;
  /** What is to be checked. */
  readonly ask: EnvironmentQuestion | undefined;
  /** What stands in the way, after all of the above. */
  readonly fault: Fault | undefined;
}

/** True when the plan has something to write. */
export const writesEnvironment = (plan: EnvironmentPlan): boolean => plan.remove.length > 0 || plan.write !== undefined;

/**
 * The plan for one environment at time `nowMs`. What is proven to be gone is removed before anything else. What was
 * usable stays as it is until something else is proven to be.
 * @throws Fault('user') on a bad spec or Secret, Fault('waiting') when it is not this environment's turn.
 */
export const planEnvironment = (facts: EnvironmentFacts, rules: CheckRules, nowMs: number): EnvironmentPlan => {
  const remove = facts.links.filter((link) => facts.gone.has(link.environmentUid));
  const { environment } = facts;
  const nothing: EnvironmentPlan = { remove, write: undefined, ask: undefined, fault: undefined };
  if (remove.length > 0 || !environment || environment.metadata.deletionTimestamp !== undefined) return nothing;
  return { ...nothing, ...planLive(facts, environment, { ...rules, nowMs }) };
};

const planLive = (
  facts: EnvironmentFacts,
  environment: GitOpsDeploymentManagedEnvironment,
  when: CheckRules & { readonly nowMs: number },
): Pick<EnvironmentPlan, 'write' | 'ask' | 'fault'> => {
  const { uid = '', generation = 0 } = environment.metadata;
  const link = facts.links.find((one) => one.environmentUid === uid);
  assertTurn(facts, link, generation);
  const rows = link?.rows;
  const read = readEnvironment(environment, facts.secret, rows !== undefined);
  const [inputHash, ...formerHashes] = when.fingerprints(read.inputHash);
  const wish = { ...read, inputHash };
  const { ask, result } = judgeCheck(facts.check, { inputHash, expiresAtMs: parseTime(rows?.tokenExpiresAt) }, when);
  const issued = issuedBefore(rows, wish, formerHashes);
  const question: EnvironmentQuestion = {
    wish,
    issued,
    sealedInUse: rows?.sealedToken,
    accountInUse: rows !== undefined && mayBeOfAccount(rows),
    namespace: environment.metadata.namespace ?? '',
    environmentId: rows ? link?.id : undefined,
  };
  const waits = waitingFault('CheckPending', 'the credentials are being checked');
  if (!result) return { write: undefined, ask: question, fault: waits };
  const again = ask ? question : undefined;
  if (result.reason !== '') {
    return { write: undefined, ask: again, fault: new Fault('user', result.reason, result.message) };
  }
  const isNew = facts.found?.inputHash === wish.inputHash;
  if (link && !isNew && isRight(link, wish)) return { write: undefined, ask: again, fault: undefined };
  const found = isNew ? facts.found : givenToken(wish);
  // The check was another process's, and what it brought has gone with it.
  if (!found) return { write: undefined, ask: question, fault: waits };
  const write = { environmentUid: uid, generation, wish, found, link };
  return { write, ask: undefined, fault: undefined };
};

const issuedBefore = (
  rows: EnvironmentRowFacts | undefined,
  wish: EnvironmentWish,
  formerHashes: readonly string[],
): EnvironmentQuestion['issued'] => {
  if (!rows || !wish.newServiceAccount || rows.host !== wish.host) return undefined;
  const adopted = rows.inputHash === null || formerHashes.includes(rows.inputHash);
  if (!adopted && (!rows.serviceAccount || rows.inputHash !== wish.inputHash)) return undefined;
  return { sealedToken: rows.sealedToken, expiresAtMs: parseTime(rows.tokenExpiresAt), adopted };
};

/** A token that the kubeconfig gives needs no check to be known. */
const givenToken = (wish: EnvironmentWish): EnvironmentFound | undefined => {
  const { inputHash, newServiceAccount, access } = wish;
  if (newServiceAccount || access.token === undefined) return undefined;
  return { inputHash, token: access.token, expiresAtMs: undefined, serviceAccount: undefined };
};

const isRight = (link: EnvironmentLink, wish: EnvironmentWish): boolean =>
  link.inPlace &&
  link.rows !== undefined &&
  link.rows.inputHash === wish.inputHash &&
  link.rows.allowed &&
  link.rows.host === wish.host &&
  link.rows.insecure === wish.insecure;
