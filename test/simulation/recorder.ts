// Looks on from the first step to the last: what the service deletes was asked for, and nothing is ever there twice.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { deploymentFinalizer, deploymentUidOf } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { isRecord } from '../../src/kube/json.ts';
import { secrets, type KubeObject, type ResourceType } from '../../src/kube/object.ts';
import type { DeletedRow } from './database.ts';
import type { ServiceRequest } from './faulty-api.ts';
import type { RemovedAccount } from './outside.ts';
import { clusterAt } from './script-names.ts';
import { createSyncOrders } from './sync-orders.ts';

/** What is known of what users asked for, and what was done that nobody did. */
export interface Recorder {
  /** A user made this object. */
  made(object: KubeObject): void;
  /** A user changed the spec of this deployment. */
  changed(deployment: GitOpsDeployment): void;
  /** A user asked for the deletion of the object with this UID, be it with its namespace. */
  asked(uid: string): void;
  /** Argo CD has ended a sync of the Application with this UID. */
  synced(applicationUid: string, operation: unknown): void;
  /** The service has removed a ServiceAccount from another cluster. */
  accountRemoved(account: RemovedAccount): void;
  /** Called before a request of the service is carried out. */
  request(request: ServiceRequest): void;
  /** Called for each row that a committed transaction deleted. */
  row(row: DeletedRow): void;
  /** What was done against the promises, one sentence each. */
  readonly wrongs: readonly string[];
}

/** The objects of one kind, now. */
export type PresentObjects = <T extends KubeObject>(resource: ResourceType<T>) => readonly T[];

/** Creates a recorder that knows nothing yet. */
export const createRecorder = (present: PresentObjects, when: () => string): Recorder => {
  const wrongs: string[] = [];
  const asked = new Set<string>();
  const names = new Map<string, string>();
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
      (resource !== operations.plural && ownKinds.some((kind) => kind.resource.plural === resource)) ||
      resource === 'namespaces'
    ) {
      wrong(true, `the service deleted ${resource} ${name}`);
    }
  };
  const syncOrders = createSyncOrders(present, wrong);
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
    accountRemoved: (account) =>
      wrong(isCutOff(present, account), `the ServiceAccount of ${who(account.uid)} was removed while Argo CD used it`),
    made: (object) => {
      syncOrders.made(object);
      const { kind, metadata } = object;
      const sort = kind === gitOpsDeployments.kind ? '' : `${kind} `;
      names.set(metadata.uid ?? '', `${sort}${metadata.namespace}/${metadata.name}`);
    },
    changed: syncOrders.changed,
    synced: syncOrders.synced,
    asked: (uid) => void asked.add(uid),
    request(request) {
      if (request.method === 'DELETE') deletes(request);
      if (request.method === 'PATCH') patches(request);
      if (request.method === 'PATCH') syncOrders.request(request);
      if (request.method === 'POST') creates(request);
    },
    row: ({ table, key }) =>
      wrong(!asked.has(key), `the row of ${who(key)} in ${table} was deleted, and nobody asked for that`),
    wrongs,
  };
};

/** Whether Argo CD still had one of the tokens, for an environment that stays where it is, or that is deleted. */
const isCutOff = (present: PresentObjects, { uid, host, tokens }: RemovedAccount): boolean => {
  const environment = present(gitOpsDeploymentManagedEnvironments).find(({ metadata }) => metadata.uid === uid);
  const { apiURL = '', createNewServiceAccount = false } = environment?.spec ?? {};
  // One that moves, or goes on without an account of its own, has a minute; one that is deleted, until Argo CD has let go.
  if (environment && (!createNewServiceAccount || clusterAt(apiURL) !== clusterAt(host))) return false;
  const used = present(secrets).flatMap(({ data }) => Buffer.from(data?.['config'] ?? '', 'base64').toString());
  return [...tokens].some((token) => used.some((config) => config.includes(`"${token}"`)));
};
