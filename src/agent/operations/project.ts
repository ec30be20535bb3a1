// A tenant's AppProject: grown before an Application needs it, shrunk and removed only when none does.
import { appProjects, type AppProject } from '../../api/argocd/app-project.ts';
import { applications, type Application } from '../../api/argocd/application.ts';
import { appProjectName, databaseIdLabel, usernameAnnotation } from '../../api/labels.ts';
import {
  coveringUses,
  desiredProject,
  isUnused,
  permissionsOf,
  permitsExactly,
  type Permissions,
  type ProjectRows,
} from '../../domain/app-project.ts';
import type { ProjectTargetRow } from '../../db/queries/agent-project.ts';
import { objectKey } from '../../kube/object.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import type { AgentContext, HandlerContext } from '../context.ts';
import { readLive, writePresent } from '../written.ts';
import { listApplications } from './list-applications.ts';

/** The rows of a tenant's project; undefined where there is no such tenant. */
export const projectRowsOf = (row: ProjectTargetRow): ProjectRows | undefined =>
  row.user_id === null
    ? undefined
    : {
        userId: row.user_id,
        namespace: row.namespace,
        repositories: row.repositories,
        environments: row.environments,
      };

/** The tenant's project as it is; undefined when it has none. */
export const presentProject = (
  { present, engine, signal }: HandlerContext,
  { userId }: ProjectRows,
): Promise<AppProject | undefined> =>
  present.projects.get({ namespace: engine.namespace, name: appProjectName(userId) }, { signal });

/** The tenant's project where the cache has none, read live: the cache may have to hear of it yet, and nobody looks then. */
const unheardProject = (
  { client, engine, signal }: HandlerContext,
  { userId }: ProjectRows,
): Promise<AppProject | undefined> =>
  readLive(
    { client, resource: appProjects },
    { namespace: engine.namespace, name: appProjectName(userId) },
    { signal },
  );

/** True for a project that permits what the rows say, and what present Applications use. */
export const isGrown = (context: AgentContext, present: AppProject | undefined, rows: ProjectRows): boolean =>
  present !== undefined && isRight(present, projectFor(context, rows, cachedUsers(context, rows.userId)));

/**
 * Makes the tenant's project permit what the rows say, and what present Applications use. Returns it.
 * *Assumption*: it is the tenant's turn, and the rows have been read in it: older ones would give the project what it has
 * just lost.
 */
export const growProject = (
  context: HandlerContext,
  present: AppProject | undefined,
  rows: ProjectRows,
): Promise<AppProject> => writeProject(context, present, projectFor(context, rows, cachedUsers(context, rows.userId)));

/** What a ticket knows of its tenant's project. */
interface KnownProject {
  /** The application that the ticket is about, if it is about one. */
  readonly applicationId?: string;
  readonly rows: ProjectRows;
  /** As it was last read. */
  readonly present: AppProject | undefined;
  /** Reads the rows anew; undefined when the tenant is gone. */
  readonly reread: () => Promise<ProjectRows | undefined>;
}

/**
 * Takes from the tenant's project what no row asks for any more, or removes it, as far as no Application uses it,
 * deleting ones included. The cache may say that it is used; that it is not is read live.
 */
export const trimProject = async (context: HandlerContext, known: KnownProject): Promise<void> => {
  const { rows } = known;
  const present = known.present ?? (isUnused(rows) ? await unheardProject(context, rows) : undefined);
  if (!present || (!isUnused(rows) && permitsExactly(present, permitted(context, rows)))) return;
  // The ticket's own Application may be gone before the cache knows: it is no reason to keep the project.
  const others = cachedUsers(context, rows.userId).filter((user) => databaseIdOf(user) !== known.applicationId);
  if (isUnused(rows) && (await isAnyThere(context, others))) return;
  await context.inTurn(rows.userId, () => trimNow(context, known));
};

/**
 * True when one of these is there, read live: its own removal sees to the project. A cache that has missed how others
 * went would else keep the project for them, and nobody would come after the last.
 */
const isAnyThere = async ({ client, signal }: HandlerContext, users: readonly Application[]): Promise<boolean> => {
  for (const { metadata } of users) {
    const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
    if (await readLive({ client, resource: applications }, ref, { signal })) return true;
  }
  return false;
};

const trimNow = async (context: HandlerContext, { rows, reread }: KnownProject): Promise<void> => {
  const users = await liveUsers(context, rows.userId);
  // Last of all: an Application that is not in the listing either has its rows here, or its turn is yet to come.
  const now = await reread();
  const present = (await presentProject(context, rows)) ?? (await unheardProject(context, rows));
  if (!now || !present) return;
  if (isUnused(now) && users.length === 0) await removeProject(context, present);
  else await writeProject(context, present, projectFor(context, now, users));
};

const permitted = ({ settings }: AgentContext, rows: ProjectRows): Permissions =>
  permissionsOf(rows, settings.ownNamespaceOnly);

const databaseIdOf = ({ metadata }: Application): string | undefined => metadata.labels?.[databaseIdLabel];

const cachedUsers = ({ applications: cached }: AgentContext, userId: string): readonly Application[] =>
  cached.byIndex('project', appProjectName(userId));

const liveUsers = async (context: HandlerContext, userId: string): Promise<readonly Application[]> =>
  (await listApplications(context)).filter((application) => application.spec.project === appProjectName(userId));

/** A project as it should be: the object, and what it permits. */
interface Desired {
  readonly object: AppProject;
  readonly permissions: Permissions;
}

const projectFor = (context: AgentContext, rows: ProjectRows, users: readonly Application[]): Desired => {
  const uses = users.map((application) => application.spec);
  const permissions = coveringUses(permitted(context, rows), uses);
  return { permissions, object: desiredProject(context.engine.namespace, rows.userId, permissions) };
};

const isRight = (present: AppProject, { object, permissions }: Desired): boolean =>
  present.metadata.annotations?.[usernameAnnotation] === object.metadata.annotations?.[usernameAnnotation] &&
  permitsExactly(present, permissions);

const writeProject = async (
  context: HandlerContext,
  present: AppProject | undefined,
  desired: Desired,
): Promise<AppProject> => {
  const { client, engine, signal, present: written } = context;
  if (present) return correctProject(context, present, desired);
  signal.throwIfAborted();
  try {
    const made = await client.create(appProjects, desired.object, { signal });
    written.projects.wrote(objectKey(made.metadata), { from: undefined, to: made });
    return made;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Somebody else made it, and the cache has not seen it yet.
    const { name } = desired.object.metadata;
    const live = await client.get(appProjects, { namespace: engine.namespace, name }, { signal });
    return correctProject(context, live, desired);
  }
};

const correctProject = async (
  { client, engine, signal, present: written }: HandlerContext,
  present: AppProject,
  desired: Desired,
): Promise<AppProject> => {
  if (isRight(present, desired)) return present;
  const { resourceVersion, name } = present.metadata;
  const { metadata, spec } = desired.object;
  const body = { metadata: { resourceVersion, annotations: metadata.annotations }, spec };
  const ref = { namespace: engine.namespace, name };
  const corrected = await writePresent(() => client.patch(appProjects, ref, { type: 'merge', body, signal }));
  written.projects.wrote(objectKey(present.metadata), { from: present, to: corrected });
  return corrected;
};

const removeProject = async (
  { client, engine, signal, present: written }: HandlerContext,
  present: AppProject,
): Promise<void> => {
  const { name, uid = '', resourceVersion = '' } = present.metadata;
  try {
    await client.delete(appProjects, { namespace: engine.namespace, name }, { uid, resourceVersion, signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  written.projects.wrote(objectKey(present.metadata), { from: present, to: undefined });
};
