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
import { objectKey } from '../../kube/object.ts';
import { listAll } from '../../runtime/list-all.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import type { AgentContext, HandlerContext } from '../context.ts';
import type { Ticket } from './reconcile.ts';

/** The tenant's project as it is; undefined when it has none. */
export const presentProject = (context: HandlerContext, { userId }: ProjectRows): Promise<AppProject | undefined> =>
  context.present.projects.get({ namespace: context.engine.namespace, name: appProjectName(userId) });

/** Sees to it that the tenant's project permits what the rows say, and what present Applications use. Returns it. */
export const growProject = async (context: HandlerContext, rows: ProjectRows): Promise<AppProject> => {
  const permissions = coveringUses(permitted(context, rows), usesOf(cachedUsers(context, rows.userId)));
  return writeProject(context, rows, { present: await presentProject(context, rows), permissions });
};

/**
 * Takes from the tenant's project, as it was last read, what no row asks for any more, or removes it, as far as no
 * Application uses it, deleting ones included. The cache may say that it is used; that it is not is read live. True when
 * something was taken.
 */
export const trimProject = async (
  context: HandlerContext,
  { rows, present }: { readonly rows: ProjectRows; readonly present: AppProject | undefined },
  ticket: Ticket,
): Promise<boolean> => {
  const wanted = permitted(context, rows);
  if (!present || (!isUnused(rows) && permitsExactly(present, wanted))) return false;
  // The ticket's own Application may be gone before the cache knows: it is no reason to keep the project.
  const others = cachedUsers(context, rows.userId).filter((user) => databaseIdOf(user) !== ticket.resourceId);
  if (isUnused(rows) && others.length > 0) return false;
  const users = await liveUsers(context, rows.userId, ticket.signal);
  if (isUnused(rows) && users.length === 0) await removeProject(context, present);
  else await writeProject(context, rows, { present, permissions: coveringUses(wanted, usesOf(users)) });
  return true;
};

const permitted = ({ settings }: AgentContext, rows: ProjectRows): Permissions =>
  permissionsOf(rows, settings.ownNamespaceOnly);

const databaseIdOf = ({ metadata }: Application): string | undefined => metadata.labels?.[databaseIdLabel];

const usesOf = (users: readonly Application[]) => users.map((application) => application.spec);

const cachedUsers = ({ applications: cached }: AgentContext, userId: string): readonly Application[] =>
  cached.byIndex('project', appProjectName(userId));

const liveUsers = async (
  { client, engine }: AgentContext,
  userId: string,
  signal: AbortSignal,
): Promise<readonly Application[]> => {
  const selection = { namespace: engine.namespace };
  const { objects } = await listAll({ client, resource: applications, selection, signal });
  return objects.filter((application) => application.spec.project === appProjectName(userId));
};

const writeProject = async (
  context: HandlerContext,
  { userId }: ProjectRows,
  { present, permissions }: { readonly present: AppProject | undefined; readonly permissions: Permissions },
): Promise<AppProject> => {
  const { client, engine, present: written } = context;
  const desired = desiredProject(engine.namespace, userId, permissions);
  if (present) return correctProject(context, present, { desired, permissions });
  try {
    const made = await client.create(appProjects, desired);
    written.projects.wrote(objectKey(made.metadata), { from: undefined, to: made });
    return made;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Another deployment of the same tenant was first, and the cache has not seen it yet.
    const live = await client.get(appProjects, { namespace: engine.namespace, name: desired.metadata.name });
    return correctProject(context, live, { desired, permissions });
  }
};

const correctProject = async (
  { client, engine, present: written }: HandlerContext,
  present: AppProject,
  { desired, permissions }: { readonly desired: AppProject; readonly permissions: Permissions },
): Promise<AppProject> => {
  const { metadata } = present;
  const annotated = metadata.annotations?.[usernameAnnotation] === desired.metadata.annotations?.[usernameAnnotation];
  if (annotated && permitsExactly(present, permissions)) return present;
  const { resourceVersion, name } = metadata;
  const body = { metadata: { resourceVersion, annotations: desired.metadata.annotations }, spec: desired.spec };
  const corrected = await client.patch(appProjects, { namespace: engine.namespace, name }, { type: 'merge', body });
  written.projects.wrote(objectKey(metadata), { from: present, to: corrected });
  return corrected;
};

const removeProject = async (
  { client, engine, present: written }: HandlerContext,
  present: AppProject,
): Promise<void> => {
  const { name, uid = '', resourceVersion = '' } = present.metadata;
  try {
    await client.delete(appProjects, { namespace: engine.namespace, name }, { uid, resourceVersion });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  written.projects.wrote(objectKey(present.metadata), { from: present, to: undefined });
};
