// GitOpsDeployments: gather, plan, apply, say when to look again.
import { planDeployment, writes, type DeploymentPlan } from '../../domain/deployment-plan.ts';
import type { DeploymentFacts } from '../../domain/deployment-facts.ts';
import { openOperations } from '../../domain/operation.ts';
import { parseTime } from '../../lib/clock.ts';
import { asError, isFault } from '../../lib/fault.ts';
import type { Reconcile, ReconcileContext } from '../../runtime/controller.ts';
import type { ReconcileResult } from '../../runtime/outcome.ts';
import { applyPlan } from './apply.ts';
import type { DeploymentContext } from './context.ts';
import { finishDeletions } from './finish.ts';
import { assumeNew, type Gather } from './gather.ts';
import { cachedObject, gatherOrTell } from '../gather-or-tell.ts';
import { laneKey } from '../lane.ts';
import { withLook } from '../look.ts';
import type { PassEnd, StatusReporter } from './status.ts';

/** The steps of the reconciler that hold something between passes. */
export interface DeploymentSteps {
  readonly gather: Gather;
  readonly status: StatusReporter;
  /** Takes Operations that nobody waits for any more. */
  readonly settled: (operationIds: readonly string[]) => void;
}

/** The end of a deletion's Operation wakes its lane; this catches what that misses. */
const DELETION_LOOK_MS = 10_000;
/** How soon the first status says that the agent is waited for, when the agent has not answered by then. */
const FIRST_STATUS_MS = 500;

/** Creates the reconciler of one lane: `<namespaceUid>/deployment/<name>`. */
export const createDeploymentReconciler =
  (context: DeploymentContext, steps: DeploymentSteps): Reconcile =>
  async (key, pass) => {
    if (await makeFirstRows(context, key)) return { afterMs: FIRST_STATUS_MS };
    const object = () => cachedObject(context.namespaces, context.deployments, key);
    const gathered = await gatherOrTell(steps, { key, runId: pass.runId, object });
    const facts = await finish(context, steps, gathered);
    const end = await makeRows(context, facts);
    // The agent most often answers within milliseconds: a new deployment's first status can say more then.
    const silentMs = firstSilenceMs(facts, end, context.clock.now());
    if (silentMs > 0) return { afterMs: silentMs };
    steps.settled(await steps.status.report({ facts, ...end, ...passOf(pass) }));
    const look = nextLook(context, facts, end);
    if (end.fault !== undefined) throw withLook(end.fault, look?.afterMs);
    return look;
  };

/** Writes the rows of a new deployment at once. False where it is not new, or not right: then all is gathered. */
const makeFirstRows = async (context: DeploymentContext, key: string): Promise<boolean> => {
  try {
    const facts = await assumeNew(context, key);
    const isMade =
      facts !== undefined &&
      writes(planDeployment(facts, context.plan, 0)) &&
      (await applyPlan(context, facts, 'first'));
    if (isMade) context.currentRows.note(key, facts.deployment);
    return isMade;
  } catch (error) {
    if (isFault(error)) return false;
    throw error;
  }
};

/** How long a new deployment's first status still waits for the agent, whatever wakes its lane meanwhile. */
const firstSilenceMs = ({ deployment, links }: DeploymentFacts, { told, fault }: Made, nowMs: number): number => {
  if (!deployment || deployment.status || fault) return 0;
  if (told) return FIRST_STATUS_MS;
  const link = links.find(({ deploymentUid }) => deploymentUid === deployment.metadata.uid);
  const open = openOperations(link?.operations ?? []).at(-1);
  if (open?.message !== '') return 0;
  // The agent's clock may be ahead of ours.
  return Math.min((parseTime(open.lastStateUpdate) ?? 0) + FIRST_STATUS_MS - nowMs, FIRST_STATUS_MS);
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

type Made = Pick<PassEnd, 'desired' | 'environmentId' | 'told' | 'fault'>;

/** Makes the rows what they should be. A fault is not thrown yet: the user is told first. */
const makeRows = async (context: DeploymentContext, facts: DeploymentFacts): Promise<Made> => {
  const lane = laneKey('deployment', facts);
  try {
    const plan = planDeployment(facts, context.plan, context.clock.now());
    if (writes(plan)) await applyPlan(context, facts);
    // Where something old was in the way, the deployment's own rows were not looked at.
    context.currentRows.note(lane, plan.application && facts.deployment);
    return { ...planned(plan), told: writes(plan), fault: undefined };
  } catch (error) {
    const fault = asError(error);
    context.currentRows.note(lane, undefined);
    return { desired: undefined, environmentId: undefined, told: false, fault };
  }
};

const planned = ({ application }: DeploymentPlan) => ({
  desired: application?.desired,
  environmentId: application?.environmentId,
});

/** When to look again although nothing changes: at who is missing without proof, and at deletions, also new ones. */
const nextLook = ({ absences }: DeploymentContext, facts: DeploymentFacts, end: Made): ReconcileResult => {
  const uid = facts.deployment?.metadata.uid;
  const missing = facts.links.some(({ deploymentUid }) => deploymentUid !== uid && !facts.gone.has(deploymentUid));
  if (missing) return { afterMs: absences.secondLookMs };
  const deletes = facts.deletions.length > 0 || (end.told && facts.gone.size > 0);
  return deletes ? { afterMs: DELETION_LOOK_MS } : undefined;
};
