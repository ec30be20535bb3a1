// Operations of type `GitOpsEngineInstance`: has the Argo CD operator make an Argo CD in this agent's namespace.
import { argoCds } from '../../api/argocd/argo-cd.ts';
import { defaultProject } from '../../api/labels.ts';
import { userFault, waitingFault } from '../../api/reasons.ts';
import { correctedSpec, newArgoCd } from '../../domain/argocd-operand.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isRecord } from '../../kube/json.ts';
import { namespaces } from '../../kube/object.ts';
import { mergePatch } from '../../kube/patch.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { parseTime } from '../../lib/clock.ts';
import type { AgentContext } from '../context.ts';
import { readLive, writePresent } from '../written.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';

/** How often it is looked whether Argo CD has come up. */
const LOOK_AGAIN_MS = 2_000;

/** How long Argo CD may take to come up, from the order or from its object on, whichever is later. */
const READY_MS = 3 * 60_000;

/** Creates the handler of `GitOpsEngineInstance` Operations. The Argo CD that is meant is that of the agent. */
export const createEngineInstanceHandler = (agent: AgentContext): OperationHandler => {
  const { client, engine, projects, clock } = agent;
  return async (ticket) => {
    const { signal } = ticket;
    const { namespace } = engine;
    if (!(await readLive({ client, resource: namespaces }, { name: namespace }, { signal }))) {
      throw userFault(
        'OperationFailed',
        `the namespace ${namespace} does not exist, and this agent makes no namespaces`,
      );
    }
    if (!(await isServed(client, signal))) {
      throw userFault(
        'EngineNotSupported',
        'the cluster has no Argo CD operator (argocds.argoproj.io is not served), so no Argo CD can be made by an Operation',
      );
    }
    const madeAt = await writeArgoCd(agent, ticket);
    if (projects.get(`${namespace}/${defaultProject}`)) return;
    const sinceMs = Math.max(parseTime(ticket.orderedAt) ?? 0, parseTime(madeAt) ?? 0);
    const what = `AppProject ${defaultProject} in ${namespace}, by which Argo CD shows that it has come up`;
    if (clock.now() - sinceMs >= READY_MS) throw userFault('OperationFailed', `there is no ${what}, after 3 minutes`);
    throw waitingFault('WaitingForArgoCD', `waiting for ${what}`, LOOK_AGAIN_MS);
  };
};

const isServed = async (client: KubeClient, signal: AbortSignal): Promise<boolean> => {
  const path = `/apis/${argoCds.group}/${argoCds.version}`;
  try {
    const answer = await client.raw({ method: 'GET', path, signal });
    const resources = isRecord(answer) && Array.isArray(answer['resources']) ? answer['resources'] : [];
    return resources.some((one) => isRecord(one) && one['name'] === argoCds.plural);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
};

/** Makes or corrects the operator's object; gives when it was made. */
const writeArgoCd = async ({ client, engine }: AgentContext, { signal }: Ticket): Promise<string | undefined> => {
  const { namespace } = engine;
  const ref = { namespace, name: namespace };
  const present = await readLive({ client, resource: argoCds }, ref, { signal });
  if (!present) return (await client.create(argoCds, newArgoCd(namespace), { signal })).metadata.creationTimestamp;
  const { resourceVersion, creationTimestamp } = present.metadata;
  const spec = mergePatch(present.spec, correctedSpec(present));
  if (spec !== undefined) {
    const body = { metadata: { resourceVersion }, spec };
    await writePresent(() => client.patch(argoCds, ref, { type: 'merge', body, signal }));
  }
  return creationTimestamp;
};
