// Looks on from the first step to the last: what the service deletes was asked for, and nothing is ever there twice.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { deploymentFinalizer, deploymentUidOf } from '../../src/api/labels.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { isRecord } from '../../src/kube/json.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import type { DeletedRow } from './database.ts';
import type { ServiceRequest } from './faulty-api.ts';

/** What is known of what users asked for, and what was done that nobody did. */
export interface Recorder {
  /** A user made this deployment or sync run. */
  made(object: KubeObject): void;
  /** A user changed the spec of this deployment. */
  changed(deployment: GitOpsDeployment): void;
  /** A user asked for the deletion of the deployment or sync run with this UID, be it with its namespace. */
  asked(uid: string): void;
  /** Argo CD has ended a sync of the Application with this UID. */
  synced(applicationUid: string, operation: unknown): void;
  /** Called before a request of the service is carried out. */
  request(request: ServiceRequest): void;
  /** Called for each row that a committed transaction deleted. */
  row(row: DeletedRow): void;
  /** What was done against the promises, one sentence each. */
  readonly wrongs: readonly string[];
}

/** What an operation was ordered for is in its notes. */
const syncKey = (applicationUid: string, operation: unknown): string =>
  JSON.stringify([applicationUid, isRecord(operation) ? operation['info'] : undefined]);

/** The objects of one kind, now. */
export type PresentObjects = <T extends KubeObject>(resource: ResourceType<T>) => readonly T[];

/** Creates a recorder that knows nothing yet. */
export const createRecorder = (present: PresentObjects, when: () => string): Recorder => {
  const wrongs: string[] = [];
  const asked = new Set<string>();
  const names = new Map<string, string>();
  const syncs = new Set<string>();
  const wrong = (isWrong: boolean, text: string): void => {
    if (isWrong) wrongs.push(`${when()}: ${text}`);
  };
  const who = (uid: string): string => `${names.get(uid) ?? 'what nobody made'} (${uid})`;
  const applicationOf = (uid: string): Application | undefined =>
    present(applications).find(({ metadata }) => deploymentUidOf(metadata.name) === uid);

  const deletes = ({ resource, name = '' }: ServiceRequest): void => {
    if (resource === applications.plural) {
      const uid = deploymentUidOf(name) ?? '';
      wrong(!asked.has(uid), `the Application of ${who(uid)} was deleted, and nobody asked for that`);
    }
    if (resource === appProjects.plural) {
      const users = present(applications).filter(({ spec }) => spec.project === name);
      wrong(users.length > 0, `the AppProject ${name} was deleted while ${users.length} Applications used it`);
    }
    if (
      resource === gitOpsDeployments.plural ||
      resource === gitOpsDeploymentSyncRuns.plural ||
      resource === 'namespaces'
    ) {
      wrong(true, `the service deleted ${resource} ${name}`);
    }
  };
  const orderedSources = createSourceWatch(present);
  const orders = ({ resource, name, body }: ServiceRequest): void => {
    if (resource !== applications.plural || !isRecord(body) || !isRecord(body['operation'])) return;
    const found = present(applications).find(({ metadata }) => metadata.name === name);
    const { resourceVersion, uid = '' } = found?.metadata ?? {};
    // One that was made from an older version is refused, and does nothing.
    if (!isRecord(body['metadata']) || body['metadata']['resourceVersion'] !== resourceVersion) return;
    wrong(found?.operation !== undefined, `a sync of ${name} was ordered while another one was ordered`);
    wrong(syncs.has(syncKey(uid, body['operation'])), `a sync of ${name} that had ended was ordered again`);
    wrong(
      found !== undefined && !orderedSources.fits(found),
      `a sync of ${name} was ordered of a source from before its sync run was made`,
    );
  };
  const patches = ({ resource, name, body, subresource }: ServiceRequest): void => {
    if (resource !== gitOpsDeployments.plural || subresource !== undefined) return;
    const metadata = isRecord(body) && isRecord(body['metadata']) ? body['metadata'] : {};
    if (metadata['finalizers'] === undefined) return;
    const uid = String(metadata['uid']);
    const kept = new Set(Array.isArray(metadata['finalizers']) ? metadata['finalizers'] : []);
    const found = present(gitOpsDeployments).find((one) => one.metadata.uid === uid);
    const taken = (found?.metadata.finalizers ?? []).filter((finalizer) => !kept.has(finalizer));
    wrong(
      taken.some((finalizer) => finalizer !== deploymentFinalizer),
      `a finalizer of others was taken from ${name}`,
    );
    wrong(
      found !== undefined && applicationOf(uid) !== undefined,
      `the finalizer of ${who(uid)} was taken while its Application was there`,
    );
  };
  const creates = ({ resource, body }: ServiceRequest): void => {
    if (resource !== applications.plural || !isRecord(body) || !isRecord(body['metadata'])) return;
    const uid = deploymentUidOf(String(body['metadata']['name'])) ?? '';
    const others = [...names].filter(([other, name]) => other !== uid && name === names.get(uid));
    const rival = others.find(([other]) => applicationOf(other) !== undefined);
    wrong(rival !== undefined, `${who(uid)} got its Application while that of its namesake ${rival?.[0]} was there`);
  };
  return {
    made: (object) => {
      orderedSources.made(object);
      const { kind, metadata } = object;
      const sort = kind === gitOpsDeployments.kind ? '' : `${kind} `;
      names.set(metadata.uid ?? '', `${sort}${metadata.namespace}/${metadata.name}`);
    },
    changed: orderedSources.changed,
    synced: (applicationUid, operation) => void syncs.add(syncKey(applicationUid, operation)),
    asked: (uid) => void asked.add(uid),
    request(request) {
      if (request.method === 'DELETE') deletes(request);
      if (request.method === 'PATCH') patches(request);
      if (request.method === 'PATCH') orders(request);
      if (request.method === 'POST') creates(request);
    },
    row: ({ table, key }) =>
      wrong(!asked.has(key), `the row of ${who(key)} in ${table} was deleted, and nobody asked for that`),
    wrongs,
  };
};

/** Which sources each deployment has had, and which of them each sync run was made of. */
const createSourceWatch = (present: PresentObjects) => {
  const sources = new Map<string, unknown[]>();
  const runs = new Map<string, { readonly deployment: string; readonly uid: string; readonly from: number }>();
  const sourceOf = ({ spec }: GitOpsDeployment): unknown => spec?.source;
  const changed = (deployment: GitOpsDeployment): void => {
    const { uid = '' } = deployment.metadata;
    sources.set(uid, [...(sources.get(uid) ?? []), sourceOf(deployment)]);
  };
  const deploymentAt = (path: string): GitOpsDeployment | undefined =>
    present(gitOpsDeployments).find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === path);
  const hasEnded = (syncRunUid: string): boolean => {
    const found = present(gitOpsDeploymentSyncRuns).find(({ metadata }) => metadata.uid === syncRunUid);
    const conditions = found?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => status === 'True' && (type === 'Ready' || type === 'ErrorOccurred'));
  };
  return {
    changed,
    made(object: KubeObject): void {
      if (object.kind === gitOpsDeployments.kind) changed(object as GitOpsDeployment); // its kind says so
      if (object.kind !== gitOpsDeploymentSyncRuns.kind) return;
      const { spec } = object as GitOpsDeploymentSyncRun; // its kind says so
      const deployment = `${object.metadata.namespace}/${spec?.gitopsDeploymentName}`;
      const uid = deploymentAt(deployment)?.metadata.uid ?? '';
      const from = Math.max((sources.get(uid)?.length ?? 0) - 1, 0);
      runs.set(object.metadata.uid ?? '', { deployment, uid, from });
    },
    /** True when the Application has a source that one of the sync runs which may order it can mean. */
    fits({ metadata, spec }: Application): boolean {
      const uid = deploymentUidOf(metadata.name) ?? '';
      const now = present(gitOpsDeployments).find((one) => one.metadata.uid === uid);
      if (!now) return true; // it goes, and its sync with it
      const path = `${now.metadata.namespace}/${now.metadata.name}`;
      const open = [...runs].filter(([runUid, run]) => run.deployment === path && !hasEnded(runUid));
      return open.some(([, run]) => {
        const meant = run.uid === uid ? (sources.get(uid) ?? []).slice(run.from) : (sources.get(uid) ?? []);
        return [...meant, sourceOf(now)].some((source) => isEqualJson(source, spec.source));
      });
    },
  };
};
