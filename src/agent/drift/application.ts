// Which Applications and AppProjects have drifted: seen on the watch, looked for, and missed.
import type { AppProject } from '../../api/argocd/app-project.ts';
import type { Application } from '../../api/argocd/application.ts';
import {
  appProjectName,
  appProjectUserOf,
  databaseIdLabel,
  managedEnvironmentIdOf,
  repositorySecretName,
} from '../../api/labels.ts';
import { selectCredentialIds } from '../../db/queries/agent-secrets.ts';
import { selectApplicationNames } from '../../db/queries/agent.ts';
import { isEqualJson } from '../../kube/patch.ts';
import type { StoreChange } from '../../runtime/store.ts';
import type { AgentContext } from '../context.ts';
import { driftKey } from './reconcile.ts';

/** Creates the look at whether an application has drifted unseen: it writes nothing, and has it repaired. */
export const createLook =
  (isRight: (applicationId: string, signal: AbortSignal) => Promise<boolean>, enqueue: (key: string) => void) =>
  async (applicationId: string, signal: AbortSignal): Promise<void> => {
    if (!(await isRight(applicationId, signal))) enqueue(driftKey('application', applicationId));
  };

/** Creates the search for what the rows ask for and the caches don't have. */
export const createSearch = (context: AgentContext, enqueue: (key: string) => void) => async (): Promise<void> => {
  const { db, engine, applications, projects, secrets } = context;
  const { namespace } = engine;
  const identity = await engine.identity();
  const isRight = (present: Application): boolean => {
    const { project, destination } = present.spec;
    const cluster = destination.name ?? '';
    const hasCluster = managedEnvironmentIdOf(cluster) === undefined || secrets.get(`${namespace}/${cluster}`);
    return projects.get(`${namespace}/${project}`) !== undefined && hasCluster !== undefined;
  };
  for (const { application_id, name } of await selectApplicationNames(db, identity)) {
    const present = applications.get(`${namespace}/${name}`);
    if (!present || idOf(present) !== application_id || !isRight(present)) {
      enqueue(driftKey('application', application_id));
    }
  }
  for (const { id, user_id } of await selectCredentialIds(db, identity)) {
    if (!secrets.get(`${namespace}/${repositorySecretName(id)}`)) enqueue(driftKey('credential', id));
    if (!projects.get(`${namespace}/${appProjectName(user_id)}`)) enqueue(driftKey('project', user_id));
  }
};

const idOf = (application: Application): string | undefined => application.metadata.labels?.[databaseIdLabel];

type Caches = Pick<AgentContext, 'applications' | 'projects'>;

/** An Application of a project: looking at it sees to the project too. One that goes has no rows any more to do it with. */
const userOf = ({ applications }: Caches, project: string): Application | undefined =>
  applications.byIndex('project', project).find(({ metadata }) => metadata.deletionTimestamp === undefined);

/** The key by which a project is seen to: that of an Application in it, else its own. */
const projectKey = (caches: Caches, { metadata: { name } }: AppProject): string | undefined => {
  const user = userOf(caches, name);
  const id = user && idOf(user);
  if (id) return driftKey('application', id);
  const userId = appProjectUserOf(name);
  return userId === undefined ? undefined : driftKey('project', userId);
};

/** Enqueues a look at everything: at what was changed while nobody looked, or what no watch showed as a change. */
export const lookForDrift = (caches: Caches, enqueue: (key: string) => void): void => {
  for (const application of caches.applications.list()) {
    const id = idOf(application);
    if (id) enqueue(driftKey('look', id));
  }
  for (const project of caches.projects.list()) {
    const key = projectKey(caches, project);
    if (key) enqueue(key);
  }
};

/** Enqueues what was changed or deleted, by whom ever: our own changes are found to be right. Returns the way to end it. */
export const followDrift = (caches: Caches, enqueue: (key: string) => void): (() => void) => {
  const look = (application: Application | undefined): void => {
    const id = application && idOf(application);
    if (id) enqueue(driftKey('application', id));
  };
  const ends = [
    caches.applications.subscribe((change) => {
      const { object, old } = change;
      const relabelled = (old && idOf(old)) !== idOf(object);
      if (isDrift(change) || (change.type === 'modified' && relabelled)) look(old ?? object);
      // As long as the cache had it, the project was made to permit what it used.
      if (change.type === 'deleted') look(userOf(caches, object.spec.project));
    }),
    caches.projects.subscribe((change) => {
      const key = isDrift(change) ? projectKey(caches, change.object) : undefined;
      if (key) enqueue(key);
    }),
  ];
  return () => ends.forEach((end) => end());
};

/** A new one whose generation has counted changes was changed before the watch told of it. */
const isDrift = ({ type, object, old }: StoreChange<Application | AppProject>): boolean => {
  if (type === 'added') return (object.metadata.generation ?? 1) > 1;
  return type === 'deleted' || !isEqualJson(old?.spec, object.spec);
};
