// Operations of type `Application`: makes Argo CD's Application equal to its row, or removes it when there is no row.
import { appProjects, type AppProject } from '../../api/argocd/app-project.ts';
import { applications, type Application } from '../../api/argocd/application.ts';
import { userFault, waitingFault } from '../../api/reasons.ts';
import { selectApplicationTargets, type ApplicationTargetRow } from '../../db/queries/agent.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { isUnused, type ProjectRows } from '../../domain/app-project.ts';
import { applicationSpec, compareApplication, newApplication } from '../../domain/application-object.ts';
import { endSyncPatch } from '../../domain/running-sync.ts';
import { readSpecField, type DesiredApplication } from '../../domain/spec-field.ts';
import { objectKey } from '../../kube/object.ts';
import { mergePatch } from '../../kube/patch.ts';
import { createBatch } from '../../lib/batch.ts';
import { messageOf } from '../../lib/fault.ts';
import type { AgentContext, HandlerContext } from '../context.ts';
import { createWrittenReader } from '../written.ts';
import { removeApplicationsOf } from './application-removal.ts';
import { growProject, presentProject, trimProject } from './project.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';

/** Creates the handler of `Application` Operations. */
export const createApplicationHandler = (agent: AgentContext): OperationHandler => {
  const present = {
    applications: createWrittenReader({ ...agent, resource: applications, store: agent.applications }),
    projects: createWrittenReader({ ...agent, resource: appProjects, store: agent.projects }),
  };
  const context: HandlerContext = { ...agent, present };
  const load = createBatch<Ticket, ApplicationTargetRow>({
    ...statementBatch,
    run: (tickets) =>
      selectApplicationTargets(
        context.db,
        tickets.map((ticket) => ({ applicationId: ticket.resourceId, ownerId: ticket.ownerId })),
      ),
  });
  return async (ticket) => {
    const target = await load(ticket);
    const rows = projectRows(target);
    let project: AppProject | undefined;
    if (target.spec_field === null) {
      await removeApplicationsOf(context, ticket, target.deployment_uid);
      project = rows && (await presentProject(context, rows));
    } else {
      project = rows && (await growProject(context, rows));
      await writeApplication(context, ticket, { target, desired: readRow(target.spec_field) });
    }
    const trimmed = rows && (await trimProject(context, { rows, present: project }, ticket));
    // While it was trimmed, another ticket may have counted on what was taken away.
    const now = trimmed && projectRows(await load(ticket));
    if (now && !isUnused(now)) await growProject(context, now);
  };
};

/** The rows of the owner's project; undefined for an application whose owner is unknown. */
const projectRows = (target: ApplicationTargetRow): ProjectRows | undefined =>
  target.user_id === null
    ? undefined
    : {
        userId: target.user_id,
        namespace: target.namespace,
        repositories: target.repositories,
        environments: target.environments,
      };

const readRow = (specField: string): DesiredApplication => {
  try {
    return readSpecField(specField);
  } catch (error) {
    throw userFault('InvalidSpecField', `the application's row can't be read: ${messageOf(error)}`);
  }
};

const writeApplication = async (
  context: HandlerContext,
  ticket: Ticket,
  { target, desired }: { readonly target: ApplicationTargetRow; readonly desired: DesiredApplication },
): Promise<void> => {
  const present = await context.present.applications.get(desired);
  if (present?.metadata.deletionTimestamp) {
    throw waitingFault('WaitingForArgoCD', `Application ${desired.name} is being deleted; it is made again afterwards`);
  }
  if (present) return correctApplication(context, present, { id: ticket.resourceId, desired });
  // An application whose environment is gone is not made: there is nowhere to deploy to.
  if (target.environment_id === null) return;
  const made = await context.client.create(applications, newApplication(ticket.resourceId, desired));
  context.present.applications.wrote(objectKey(made.metadata), { from: undefined, to: made });
};

const correctApplication = async (
  { client, present: written }: HandlerContext,
  present: Application,
  { id, desired }: { readonly id: string; readonly desired: DesiredApplication },
): Promise<void> => {
  const difference = compareApplication(present, id, desired);
  if (!difference.spec && !difference.label) return;
  const { namespace = '', name, resourceVersion } = present.metadata;
  const wanted = newApplication(id, desired);
  const body = {
    metadata: { resourceVersion, labels: wanted.metadata.labels },
    ...(difference.spec && { spec: specPatch(present, desired) }),
    ...(difference.target && endSyncPatch(present)),
  };
  const corrected = await client.patch(applications, { namespace, name }, { type: 'merge', body });
  written.applications.wrote(objectKey(present.metadata), { from: present, to: corrected });
};

/** Replaces the four fields that rows decide as wholes, so that nothing of an old policy stays. */
const specPatch = ({ spec }: Application, desired: DesiredApplication): unknown => {
  const { project, source, destination, syncPolicy } = applicationSpec(desired);
  return mergePatch(spec, { ...spec, project, source, destination, syncPolicy });
};
