// A tenant's AppProject: grown before an Application needs it, shrunk and removed only when none does.
import { appProjects, type AppProject } from '../../api/argocd/app-project.ts';
import { applications, type Application } from '../../api/argocd/application.ts';
import { appProjectName, usernameAnnotation } from '../../api/labels.ts';
import {
  coveringUses,
  desiredProject,
  isUnused,
  permissionsOf,
  permitsExactly,
  type Permissions,
  type ProjectRows,
} from '../../domain/app-project.ts';
import { listAll } from '../../runtime/list-all.ts';
import { isAlreadyExists, isNotFound } from '../../kube/status-error.ts';
import type { AgentContext } from '../context.ts';

/** Sees to it that the tenant's project permits what the rows say, and what present Applications use. */
export const growProject = async (context: AgentContext, rows: ProjectRows): Promise<void> => {
  const permissions = coveringUses(permitted(context, rows), usesOf(cachedUsers(context, rows.userId)));
  await writeProject(context, rows.userId, permissions);
};

/**
 * Takes from the tenant's project what no row asks for any more, or removes it, as far as no Application uses it,
 * deleting ones included. The cache may say that it is used; that it is not is read live.
 */
export const trimProject = async (context: AgentContext, rows: ProjectRows, signal: AbortSignal): Promise<void> => {
  const present = context.projects.get(`${context.engine.namespace}/${appProjectName(rows.userId)}`);
  const wanted = permitted(context, rows);
  if (!present || (!isUnused(rows) && permitsExactly(present, wanted))) return;
  if (isUnused(rows) && cachedUsers(context, rows.userId).length > 0) return;
  const users = await liveUsers(context, rows.userId, signal);
  if (isUnused(rows) && users.length === 0) return removeProject(context, present);
  await writeProject(context, rows.userId, coveringUses(wanted, usesOf(users)));
};

const permitted = ({ settings }: AgentContext, rows: ProjectRows): Permissions =>
  permissionsOf(rows, settings.ownNamespaceOnly);

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

const writeProject = async (context: AgentContext, userId: string, permissions: Permissions): Promise<void> => {
  const { client, engine, projects } = context;
  const desired = desiredProject(engine.namespace, userId, permissions);
  const present = projects.get(`${engine.namespace}/${desired.metadata.name}`);
  if (present) return correctProject(context, present, { desired, permissions });
  try {
    await client.create(appProjects, desired);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    // Another deployment of the same tenant was first, and the cache has not seen it yet.
    const live = await client.get(appProjects, { namespace: engine.namespace, name: desired.metadata.name });
    await correctProject(context, live, { desired, permissions });
  }
};

const correctProject = async (
  { client, engine }: AgentContext,
  { metadata, ...present }: AppProject,
  { desired, permissions }: { readonly desired: AppProject; readonly permissions: Permissions },
): Promise<void> => {
  const annotated = metadata.annotations?.[usernameAnnotation] === desired.metadata.annotations?.[usernameAnnotation];
  if (annotated && permitsExactly({ metadata, ...present }, permissions)) return;
  const { resourceVersion, name } = metadata;
  const body = { metadata: { resourceVersion, annotations: desired.metadata.annotations }, spec: desired.spec };
  await client.patch(appProjects, { namespace: engine.namespace, name }, { type: 'merge', body });
};

const removeProject = async ({ client, engine }: AgentContext, { metadata }: AppProject): Promise<void> => {
  const { name, uid = '', resourceVersion = '' } = metadata;
  try {
    await client.delete(appProjects, { namespace: engine.namespace, name }, { uid, resourceVersion });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
