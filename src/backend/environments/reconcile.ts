// GitOpsDeploymentManagedEnvironments: gather, plan, apply, say when to look again.
import { wantedEnvironmentConditions, type Connection } from '../../domain/environment-conditions.ts';
import type { EnvironmentFacts } from '../../domain/environment-facts.ts';
import { nextCheckLook } from '../../domain/check-facts.ts';
import { planEnvironment, writesEnvironment, type EnvironmentQuestion } from '../../domain/environment-plan.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { connectionInitializationSucceeded } from '../../api/conditions.ts';
import { parseTime } from '../../lib/clock.ts';
import { asError } from '../../lib/fault.ts';
import type { Condition } from '../../runtime/conditions.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { ConditionReporter } from '../condition-status.ts';
import { cachedObject, gatherOrTell } from '../gather-or-tell.ts';
import { laneKey } from '../lane.ts';
import { nextInLane, spread, withLook } from '../look.ts';
import { applyEnvironmentPlan } from './apply.ts';
import type { EnvironmentContext } from './context.ts';
import type { GatherEnvironment } from './gather.ts';
import { noteLeftBehind } from './left-behind.ts';

/** The steps of the reconciler that hold something between passes. */
export interface EnvironmentSteps {
  readonly gather: GatherEnvironment;
  readonly status: ConditionReporter<GitOpsDeploymentManagedEnvironment>;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** Creates the reconciler of one lane: `<namespaceUid>/environment/<name>`. */
export const createEnvironmentReconciler =
  (context: EnvironmentContext, steps: EnvironmentSteps): Reconcile =>
  async (key, { runId }) => {
    const object = () => cachedObject(context.namespaces, context.environments, key);
    const facts = await gatherOrTell(steps, { key, runId, object });
    const fault = await makeRows(context, steps, facts);
    const { environment } = facts;
    if (environment) {
      const { connection, summary } = wantedEnvironmentConditions({ environment, fault, runId });
      await steps.status.report({ object: environment, own: ownOf(connection), summary });
    } else if (context.clusters.leftBehind(key, undefined, Infinity).length === 0) {
      context.clusters.forget(key);
    }
    const afterMs = nextLook(context, facts);
    if (fault) throw withLook(fault, afterMs);
    return afterMs === undefined ? undefined : { afterMs };
  };

const ownOf = (connection: Connection | undefined): readonly Condition[] | undefined =>
  connection && [{ type: connectionInitializationSucceeded, ...connection }];

/** What an environment's own condition says while its facts can't be read. */
export const environmentTrouble = (
  environment: GitOpsDeploymentManagedEnvironment,
  trouble: { readonly fault: unknown; readonly runId: string },
): readonly Condition[] | undefined => ownOf(wantedEnvironmentConditions({ environment, ...trouble }).connection);

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (
  context: EnvironmentContext,
  steps: EnvironmentSteps,
  facts: EnvironmentFacts,
): Promise<Error | undefined> => {
  try {
    await noteLeftBehind(context, facts);
    const plan = planEnvironment(facts, context.checks, context.clock.now());
    if (plan.ask) askCluster(context, facts, plan.ask);
    if (writesEnvironment(plan)) await write(context, steps, facts);
    return plan.remove.length > 0 ? nextInLane() : plan.fault;
  } catch (error) {
    return asError(error);
  }
};

const write = async (context: EnvironmentContext, steps: EnvironmentSteps, facts: EnvironmentFacts): Promise<void> => {
  const { removed, operations, found } = await applyEnvironmentPlan(context, facts);
  for (const { environmentUid } of removed) context.absences.forget(environmentUid);
  if (found) context.clusters.forgetFound(laneKey('environment', facts), found);
  steps.settled(operations);
  if (removed.length === 0 && !found) return;
  context.cleanUp();
  context.wakeDeployments(`${facts.namespace?.name ?? ''}/${facts.name}`);
};

const askCluster = ({ clusters }: EnvironmentContext, facts: EnvironmentFacts, asked: EnvironmentQuestion): void => {
  const uid = facts.environment?.metadata.uid ?? '';
  const question = { uid, inputHash: asked.wish.inputHash, wish: asked };
  clusters.ask(laneKey('environment', facts), question, facts.lastAnswer);
};

/** Who is missing without proof is looked at a second time; what was checked gets old. */
const nextLook = (
  { absences, checks, clock, random }: EnvironmentContext,
  facts: EnvironmentFacts,
): number | undefined => {
  const uid = facts.environment?.metadata.uid;
  const missing = facts.links.some((link) => link.environmentUid !== uid && !facts.gone.has(link.environmentUid));
  if (missing) return absences.secondLookMs;
  const recheckMs = spread(checks.recheckMs, random);
  const link = facts.links.find((one) => one.environmentUid === uid);
  const expiresAtMs = parseTime(link?.rows?.tokenExpiresAt);
  return nextCheckLook(facts.check, { expiresAtMs }, { nowMs: clock.now(), recheckMs });
};
