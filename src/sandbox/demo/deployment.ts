// A deployment of the demo: applied, on its way from the object to Healthy, and gone after its deletion.
import { applications, type Application } from '../../api/argocd/application.ts';
import { applicationNameFor, deploymentFinalizer, instanceLabel } from '../../api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import { selectUnfinishedWork } from '../../db/queries/demo.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { read, readyMessage, type Place, type Sight, type Stage, type Subject } from './stage.ts';

/** Where a deployment is read from, and how that is called in what is shown. */
export interface DemoSource {
  readonly source: { readonly repoURL: string; readonly path: string };
  readonly shownSource: string;
}

/** A deployment to show. */
export interface Wanted extends DemoSource, Place {
  readonly type?: 'automated' | 'manual';
  readonly destination?: { readonly environment: string; readonly namespace: string };
  readonly syncOptions?: string[];
}

/** One that was applied. */
export interface Applied extends Place {
  readonly uid: string;
  readonly application: Place;
  readonly subject: Subject;
}

/** Where objects are deployed to. */
export interface Target {
  readonly client: KubeClient;
  readonly namespace: string;
}

interface ConfigMap extends KubeObject {
  data?: Record<string, string>;
}
/** Addresses ConfigMaps. */
export const configMaps: ResourceType<ConfigMap> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

/** The deployment as an object; with the finalizer, so that it stays until what it deployed is gone. */
export const deploymentOf = (wanted: Omit<Wanted, 'shownSource'>): GitOpsDeployment => {
  const { namespace, name, source, type = 'automated', destination, syncOptions } = wanted;
  return {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'GitOpsDeployment',
    metadata: { name, namespace, finalizers: [deploymentFinalizer] },
    spec: { source, type, ...(destination && { destination }), ...(syncOptions && { syncPolicy: { syncOptions } }) },
  };
};

/** Reads one of the demo's deployments. */
export const readDeployment = ({ client }: Stage, { namespace, name }: Place): Promise<GitOpsDeployment | undefined> =>
  read(client, gitOpsDeployments, { namespace, name });

/** Creates the deployment, and says so. */
export const applyDeployment = async (stage: Stage, wanted: Wanted): Promise<Applied> => {
  const { client, write, engineNamespace } = stage;
  const { namespace, name, type, destination, shownSource } = wanted;
  const { metadata } = await client.create(gitOpsDeployments, deploymentOf(wanted));
  const kind = type === 'manual' ? ', of type manual' : '';
  const where = destination ? ` to ${destination.environment}, namespace ${destination.namespace}` : '';
  write('');
  write(`Applied GitOpsDeployment ${namespace}/${name}${kind}: ${shownSource}${where}`);
  const uid = metadata.uid ?? '';
  return {
    namespace,
    name,
    uid,
    application: { namespace: engineNamespace, name: applicationNameFor(uid) },
    subject: { kind: 'GitOpsDeployment', read: () => readDeployment(stage, { namespace, name }) },
  };
};

/** From Argo CD's Application to the deployment's own status. */
export const arrival = (stage: Stage, applied: Applied): readonly Sight[] => {
  const readApplication = (): Promise<Application | undefined> => read(stage.client, applications, applied.application);
  return [
    { name: 'Application', look: async () => (await readApplication())?.metadata.name },
    { name: 'Synced', look: async () => syncedTo(await readApplication()) },
    {
      name: 'Healthy',
      look: async () =>
        (await readApplication())?.status?.health?.status === 'Healthy' ? 'says the Application' : undefined,
    },
    { name: 'status', look: async () => readyMessage(await readDeployment(stage, applied)) },
  ];
};

const syncedTo = (application: Application | undefined): string | undefined =>
  application?.status?.sync?.status === 'Synced'
    ? `to ${application.status.sync.revision?.slice(0, 12) ?? ''}`
    : undefined;

/** Deletes the deployment; who called says so. */
export const deleteDeployment = ({ client }: Stage, { namespace, name }: Applied): Promise<void> =>
  client.delete(gitOpsDeployments, { namespace, name });

/** Everything gone, from what was deployed to the object itself. */
export const disappearance = (stage: Stage, applied: Applied, from: Target = stage): readonly Sight[] => {
  const { client, db } = stage;
  const { application, uid } = applied;
  const labelSelector = `${instanceLabel}=${application.name}`;
  const goneIf = (isGone: boolean): string | undefined => (isGone ? 'gone' : undefined);
  return [
    {
      name: 'deployed objects',
      look: async () => {
        const left = await from.client.list(configMaps, { namespace: from.namespace, labelSelector });
        return goneIf(left.items.length === 0);
      },
    },
    { name: 'Application', look: async () => goneIf(!(await read(client, applications, application))) },
    {
      name: 'rows',
      look: async () => ((await selectUnfinishedWork(db, uid)) ? undefined : 'gone, no Operation left'),
    },
    { name: 'GitOpsDeployment', look: async () => goneIf(!(await readDeployment(stage, applied))) },
  ];
};
