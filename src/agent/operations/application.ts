// Operations of type `Application`: makes Argo CD's Application equal to its row, or removes it when there is no row.
import type { AppProject } from '../../api/argocd/app-project.ts';
import { applications, type Application } from '../../api/argocd/application.ts';
import { inCluster } from '../../api/labels.ts';
import { waitingFault } from '../../api/reasons.ts';
import { selectApplicationTargets, type ApplicationTargetRow } from '../../db/queries/agent.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import type { ProjectRows } from '../../domain/app-project.ts';
import { applicationSpec, compareApplication, newApplication } from '../../domain/application-object.ts';
import { endSyncPatch } from '../../domain/running-sync.ts';
import type { DesiredApplication } from '../../domain/spec-field.ts';
import { objectKey } from '../../kube/object.ts';
import { mergePatch } from '../../kube/patch.ts';
import { createBatch } from '../../lib/batch.ts';
import type { AgentContext, HandlerContext, SharedWork } from '../context.ts';
import { patchApplication } from '../patch-application.ts';
import { writePresent } from '../written.ts';
import { removeApplicationsOf } from './application-removal.ts';
import { writeWithCluster } from './environment.ts';
import { growProject, isGrown, presentProject, projectRowsOf, trimProject } from './project.ts';
import { readRow } from './read-row.ts';
import type { OperationHandler, Ticket } from './reconcile.ts';

/** The rows that a pass works on. */
interface Target {
  readonly row: ApplicationTargetRow;
  /** Of the owner's project; undefined for an application whose owner is unknown. */
  readonly projectRows: ProjectRows | undefined;
}

/** One pass over an application. */
interface Pass extends HandlerContext {
  readonly applicationId: string;
  /** Reads the rows anew. */
  readonly read: () => Promise<Target>;
}

/** What is done about applications. */
export interface ApplicationWork {
  /** The handler of `Application` Operations. */
  readonly carryOut: OperationHandler;
  /** Puts right what others changed or deleted. Without a row it does nothing: only an Operation removes. */
  repair(applicationId: string, signal: AbortSignal): Promise<void>;
  /** False when there is something to repair about the Application, or its project is missing. Writes nothing. */
  isRight(applicationId: string, signal: AbortSignal): Promise<boolean>;
}

/** Creates the work on applications; both ways take turns where they meet. */
export const createApplicationWork = (agent: AgentContext, shared: SharedWork): ApplicationWork => {
  const { inTurn } = shared;
  const load = createBatch<Pick<Ticket, 'resourceId' | 'ownerId'>, ApplicationTargetRow>({
    ...statementBatch,
    run: (tickets) =>
      selectApplicationTargets(
        agent.db,
        tickets.map((ticket) => ({ applicationId: ticket.resourceId, ownerId: ticket.ownerId })),
      ),
  });
  const hasRow = async (id: string): Promise<boolean> =>
    (await load({ resourceId: id, ownerId: null })).spec_field !== null;

  const passOver = (ticket: Pick<Ticket, 'resourceId' | 'ownerId' | 'signal'>): Pass => {
    const { resourceId: applicationId, signal } = ticket;
    const read = async (): Promise<Target> => toTarget(await load(ticket));
    return { ...agent, ...shared, signal, applicationId, read };
  };

  const carryOut: OperationHandler = async (ticket) => {
    ticket.dependsOn(ticket.resourceId);
    const pass = passOver(ticket);
    const { read, applicationId } = pass;
    const { row, projectRows: rows } = ticket.target ? toTarget(ticket.target) : await read();
    const isGone = row.spec_field === null;
    if (isGone) await removeApplicationsOf(pass, { applicationId, deploymentUid: row.deployment_uid, hasRow });
    if (!rows) return writeApplication(pass, row);
    const project = isGone
      ? await presentProject(pass, rows)
      : await inTurn(rows.userId, () => writeInTurn(pass, row, rows));
    const reread = async () => (await read()).projectRows;
    await trimProject(pass, { applicationId, rows, present: project, reread });
  };
  return {
    carryOut,
    async isRight(resourceId, signal) {
      const pass = passOver({ resourceId, ownerId: null, signal });
      return isRight(pass, await pass.read());
    },
    async repair(resourceId, signal) {
      const pass = passOver({ resourceId, ownerId: null, signal });
      const { projectRows: owner } = await pass.read();
      if (!owner) return;
      await inTurn(owner.userId, async () => {
        // Read in the turn: a newer wish that an Operation has carried out meanwhile must not be undone.
        const { row, projectRows: rows } = await pass.read();
        if (row.spec_field !== null && rows) await writeInTurn(pass, row, rows);
      });
    },
  };
};

const toTarget = (row: ApplicationTargetRow): Target => ({ row, projectRows: projectRowsOf(row) });

/**
 * Writes the Application, and before it the project that permits it. In the tenant's turn, so that nobody takes from the
 * project in between. Returns the project.
 */
const writeInTurn = async (
  pass: Pass,
  row: ApplicationTargetRow,
  rows: ProjectRows,
): Promise<AppProject | undefined> => {
  const present = await presentProject(pass, rows);
  if (isGrown(pass, present, rows)) {
    await writeApplication(pass, row);
    return present;
  }
  const now = await pass.read();
  // Removed meanwhile: another Operation came with that.
  if (now.row.spec_field === null || !now.projectRows) return present;
  const grown = await growProject(pass, present, now.projectRows);
  await writeApplication(pass, now.row);
  return grown;
};

/** Writes the Application, and before it the Secret of the cluster that it names. */
const writeApplication = async (pass: Pass, row: ApplicationTargetRow): Promise<void> => {
  if (row.spec_field === null) return;
  const desired = readRow(row.spec_field);
  const write = (): Promise<void> => writeObject(pass, row, desired);
  // An application whose environment is gone has no cluster to name.
  if (row.environment === null || desired.destination.name === inCluster) return write();
  const reread = async () => (await pass.read()).row.environment;
  await writeWithCluster(pass, { environment: row.environment, reread }, write);
};

const writeObject = async (pass: Pass, row: ApplicationTargetRow, desired: DesiredApplication): Promise<void> => {
  const { client, signal, applicationId } = pass;
  const present = await pass.present.applications.get(desired, { signal });
  if (present?.metadata.deletionTimestamp) {
    throw waitingFault('WaitingForArgoCD', `Application ${desired.name} is being deleted; it is made again afterwards`);
  }
  if (present) return correctApplication(pass, present, desired);
  // An application whose environment is gone is not made: there is nowhere to deploy to.
  if (row.environment_id === null) return;
  signal.throwIfAborted();
  const made = await client.create(applications, newApplication(applicationId, desired), { signal });
  pass.present.applications.wrote(objectKey(made.metadata), { from: undefined, to: made });
};

const isRight = async (
  pass: Pass,
  { row: { spec_field: specField }, projectRows: owner }: Target,
): Promise<boolean> => {
  if (specField === null || !owner) return true;
  const desired = readRow(specField);
  const present = await pass.present.applications.get(desired, { signal: pass.signal });
  if (!present || present.metadata.deletionTimestamp) return false;
  const difference = compareApplication(present, pass.applicationId, desired);
  return !difference.spec && !difference.label && (await presentProject(pass, owner)) !== undefined;
};

const correctApplication = async (pass: Pass, present: Application, desired: DesiredApplication): Promise<void> => {
  const difference = compareApplication(present, pass.applicationId, desired);
  if (!difference.spec && !difference.label) return;
  const { labels } = newApplication(pass.applicationId, desired).metadata;
  const change = {
    metadata: { labels },
    ...(difference.spec && { spec: specPatch(present, desired) }),
    ...(difference.target && endSyncPatch(present)),
  };
  await writePresent(() => patchApplication(pass, present, change));
};

/** Replaces the four fields that rows decide as wholes, so that nothing of an old policy stays. */
const specPatch = ({ spec }: Application, desired: DesiredApplication): unknown => {
  const { project, source, destination, syncPolicy } = applicationSpec(desired);
  return mergePatch(spec, { ...spec, project, source, destination, syncPolicy });
};
