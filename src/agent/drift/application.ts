// Drift: Applications and AppProjects that somebody changed or deleted by hand are made equal to their rows again.
import type { AppProject } from '../../api/argocd/app-project.ts';
import type { Application } from '../../api/argocd/application.ts';
import { databaseIdLabel } from '../../api/labels.ts';
import { selectApplicationNames } from '../../db/queries/agent.ts';
import { isEqualJson } from '../../kube/patch.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { StoreChange } from '../../runtime/store.ts';
import type { AgentContext } from '../context.ts';

/** The key of an application's drift, `<application id>/drift/application`: each is looked at in its own turn. */
const driftKey = (applicationId: string): string => `${applicationId}/drift/application`;

/** The key of a look at whether an application has drifted unseen, `<application id>/drift/look`. */
const lookKey = (applicationId: string): string => `${applicationId}/drift/look`;

/** The key of the search for what is missing. */
export const missingKey = 'agent/drift/missing';

/** What can be done about one application. */
interface Remedy {
  /** Puts it right. */
  readonly repair: (applicationId: string, signal: AbortSignal) => Promise<void>;
  /** Looks, and writes nothing. */
  readonly isRight: (applicationId: string, signal: AbortSignal) => Promise<boolean>;
}

/** Creates the reconciler of drift. Comparing with the rows is all it does about an Application that is as it should be. */
export const createDriftReconciler =
  (context: AgentContext, { repair, isRight }: Remedy, enqueue: (key: string) => void): Reconcile =>
  async (key, { signal }) => {
    const [applicationId = ''] = key.split('/');
    if (key === driftKey(applicationId)) return repair(applicationId, signal);
    if (key === lookKey(applicationId)) {
      if (!(await isRight(applicationId, signal))) enqueue(driftKey(applicationId));
      return undefined;
    }
    const { namespace } = context.engine;
    const wanted = await selectApplicationNames(context.db, await context.engine.identity());
    for (const { application_id, name } of wanted) {
      const present = context.applications.get(`${namespace}/${name}`);
      const project = present && context.projects.get(`${namespace}/${present.spec.project}`);
      if (!project || idOf(present) !== application_id) enqueue(driftKey(application_id));
    }
  };

const idOf = (application: Application): string | undefined => application.metadata.labels?.[databaseIdLabel];

type Caches = Pick<AgentContext, 'applications' | 'projects'>;

/** An Application of a project: looking at it sees to the project too. One that goes has no rows any more to do it with. */
const userOf = ({ applications }: Caches, project: string): Application | undefined =>
  applications.byIndex('project', project).find(({ metadata }) => metadata.deletionTimestamp === undefined);

/** Enqueues a look at everything: at what was changed while nobody looked, or what no watch showed as a change. */
export const lookForDrift = (caches: Caches, enqueue: (key: string) => void): void => {
  for (const application of caches.applications.list()) {
    const id = idOf(application);
    if (id) enqueue(lookKey(id));
  }
  for (const { metadata } of caches.projects.list()) {
    const user = userOf(caches, metadata.name);
    const id = user && idOf(user);
    if (id) enqueue(driftKey(id));
  }
};

/** Enqueues what was changed or deleted, by whom ever: our own changes are found to be right. Returns the way to end it. */
export const followDrift = (caches: Caches, enqueue: (key: string) => void): (() => void) => {
  const look = (application: Application | undefined): void => {
    const id = application && idOf(application);
    if (id) enqueue(driftKey(id));
  };
  const lookAtProject = (name: string): void => look(userOf(caches, name));
  const ends = [
    caches.applications.subscribe((change) => {
      const { object, old } = change;
      const relabelled = (old && idOf(old)) !== idOf(object);
      if (isDrift(change) || (change.type === 'modified' && relabelled)) look(old ?? object);
      // As long as the cache had it, the project was made to permit what it used.
      if (change.type === 'deleted') lookAtProject(object.spec.project);
    }),
    caches.projects.subscribe((change) => {
      if (isDrift(change)) lookAtProject(change.object.metadata.name);
    }),
  ];
  return () => ends.forEach((end) => end());
};

/** A new one whose generation has counted changes was changed before the watch told of it. */
const isDrift = ({ type, object, old }: StoreChange<Application | AppProject>): boolean => {
  if (type === 'added') return (object.metadata.generation ?? 1) > 1;
  return type === 'deleted' || !isEqualJson(old?.spec, object.spec);
};
