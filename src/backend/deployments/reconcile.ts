// GitOpsDeployments: gather, plan, apply, say when to look again.
import { planDeployment, writes, type DeploymentPlan } from '../../domain/deployment-plan.ts';
import type { DeploymentFacts } from '../../domain/deployment-facts.ts';
import type { Reconcile, ReconcileContext } from '../../runtime/controller.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';
import { applyPlan } from './apply.ts';
import type { DeploymentContext } from './context.ts';
import { finishDeletions } from './finish.ts';
import type { Gather } from './gather.ts';
import type { StatusReporter } from './status.ts';

/** The steps of the reconciler that hold something between passes. */
export interface DeploymentSteps {
  readonly gather: Gather;
  readonly status: StatusReporter;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** A deletion's Application wakes its lane when it is gone; this catches what that misses. */
const DELETION_LOOK_MS = 10_000;

/** Creates the reconciler of one lane: `<namespaceUid>/deployment/<name>`. */
export const createDeploymentReconciler =
  (context: DeploymentContext, steps: DeploymentSteps): Reconcile =>
  async (key, pass) => {
    const facts = await finish(context, steps, await steps.gather(key));
    const end = await makeRows(context, facts);
    steps.settled(await steps.status.report({ facts, ...end, ...passOf(pass) }));
    if (end.fault !== undefined) throw end.fault;
    return nextLook(context, facts);
  };

const passOf = ({ runId, log }: ReconcileContext) => ({ runId, log });

/** Completes what deletions can be completed, so that the plan finds them done. */
const finish = async (
  context: DeploymentContext,
  steps: DeploymentSteps,
  facts: DeploymentFacts,
): Promise<DeploymentFacts> => {
  const { deletions, settledOperations } = await finishDeletions(context, facts);
  steps.settled(settledOperations);
  return { ...facts, deletions };
};

type Made = Pick<Parameters<StatusReporter['report']>[0], 'desired' | 'environmentId' | 'told' | 'fault'>;

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (context: DeploymentContext, facts: DeploymentFacts): Promise<Made> => {
  try {
    const plan = planDeployment(facts, context.plan, context.clock.now());
    if (writes(plan)) await applyPlan(context, facts);
    return { ...planned(plan), told: writes(plan), fault: undefined };
  } catch (error) {
    const fault = error instanceof Error ? error : new Error(String(error));
    return { desired: undefined, environmentId: undefined, told: false, fault };
  }
};

const planned = ({ application }: DeploymentPlan) => ({
  desired: application?.desired,
  environmentId: application?.environmentId,
});

const nextLook = ({ absences }: DeploymentContext, facts: DeploymentFacts): ReconcileResult => {
  if (facts.absence === 'unproven' && facts.links.length > 0) return { afterMs: absences.secondLookMs };
  return facts.deletions.length > 0 ? { afterMs: DELETION_LOOK_MS } : undefined;
};
