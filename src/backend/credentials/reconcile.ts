// GitOpsDeploymentRepositoryCredentials: gather, plan, apply, say when to look again.
import { waitingFault } from '../../api/reasons.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { nextCheckLook } from '../../domain/check-facts.ts';
import type { CredentialFacts } from '../../domain/credential-facts.ts';
import { planCredential, writesCredential } from '../../domain/credential-plan.ts';
import type { CredentialWish } from '../../domain/credential-wish.ts';
import { isEnded } from '../../domain/operation.ts';
import { wantedCredentialConditions } from '../../domain/wanted-credential-conditions.ts';
import { asError } from '../../lib/fault.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { ConditionReporter } from '../condition-status.ts';
import { cachedObject, gatherOrTell } from '../gather-or-tell.ts';
import { laneKey } from '../lane.ts';
import { nextInLane, spread, withLook } from '../look.ts';
import { applyCredentialPlan } from './apply.ts';
import type { CredentialContext } from './context.ts';
import type { GatherCredential } from './gather.ts';

/** The steps of the reconciler that hold something between passes. */
export interface CredentialSteps {
  readonly gather: GatherCredential;
  readonly status: ConditionReporter<GitOpsDeploymentRepositoryCredential>;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** Creates the reconciler of one lane: `<namespaceUid>/credential/<name>`. */
export const createCredentialReconciler =
  (context: CredentialContext, steps: CredentialSteps): Reconcile =>
  async (key, { runId }) => {
    const object = () => cachedObject(context.namespaces, context.credentials, key);
    const facts = await gatherOrTell(steps, { key, runId, object });
    const fault = await makeRows(context, steps, facts);
    const { credential } = facts;
    if (credential) {
      await steps.status.report({ object: credential, ...wantedCredentialConditions({ credential, fault, runId }) });
      steps.settled(toldOperations(facts));
    } else {
      context.repositories.forget(key);
    }
    const afterMs = nextLook(context, facts);
    if (fault) throw withLook(fault, afterMs);
    return afterMs === undefined ? undefined : { afterMs };
  };

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (
  context: CredentialContext,
  steps: CredentialSteps,
  facts: CredentialFacts,
): Promise<Error | undefined> => {
  try {
    const plan = planCredential(facts, context.rules, context.clock.now());
    if (plan.ask) askServer(context, facts, plan.ask);
    if (!writesCredential(plan)) return plan.fault;
    const { removed, operations } = await applyCredentialPlan(context, facts);
    for (const { credentialUid } of removed) context.absences.forget(credentialUid);
    steps.settled(operations);
    if (plan.remove.length > 0) return nextInLane();
    return plan.write && waitingFault('OperationPending', 'waiting for the agent');
  } catch (error) {
    return asError(error);
  }
};

const askServer = ({ repositories }: CredentialContext, facts: CredentialFacts, wish: CredentialWish): void => {
  const uid = facts.credential?.metadata.uid ?? '';
  const question = { uid, inputHash: wish.inputHash, wish };
  repositories.ask(laneKey('credential', facts), question, facts.lastAnswer);
};

/** Operations whose end the conditions have told. One that failed stays, to be tried again. */
const toldOperations = ({ links }: CredentialFacts): readonly string[] =>
  links.flatMap(({ operations }) =>
    operations
      .filter(
        ({ ours, state }, index) => ours && isEnded(state) && !(state === 'Failed' && index === operations.length - 1),
      )
      .map(({ id }) => id),
  );

/** Who is missing without proof is looked at a second time; what was checked gets old; a failure is tried again. */
const nextLook = (
  { absences, rules, clock, random }: CredentialContext,
  facts: CredentialFacts,
): number | undefined => {
  const uid = facts.credential?.metadata.uid;
  const missing = facts.links.some((link) => link.credentialUid !== uid && !facts.gone.has(link.credentialUid));
  if (missing) return absences.secondLookMs;
  const recheckMs = spread(rules.recheckMs, random);
  return nextCheckLook(facts.check, {}, { nowMs: clock.now(), recheckMs });
};
