// A chapter of the demo: another cluster becomes an environment, and a deployment goes there.
import { managedEnvironmentSecretType } from '../../api/labels.ts';
import {
  gitOpsDeploymentManagedEnvironments,
  type GitOpsDeploymentManagedEnvironment,
} from '../../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { secrets, type Secret } from '../../kube/object.ts';
import { pageConfigMap } from '../sample-repository.ts';
import {
  applyDeployment,
  arrival,
  configMaps,
  deleteDeployment,
  disappearance,
  type Target,
  type Wanted,
} from './deployment.ts';
import { argoCdSecret, goneSecret } from './argocd-secret.ts';
import { read, readyMessage, see, type Place, type Sight, type Stage } from './stage.ts';

/** Another cluster, and the namespace on it that is deployed to. */
export interface OtherCluster extends Target {
  readonly url: string;
  readonly kubeconfig: string;
}

/** Name of the environment, and of its Secret. */
const ENVIRONMENT = 'other';

/** The environment as objects: its Secret, and itself. The sandbox's certificates are its own, so nobody can check them. */
export const environmentOf = (
  namespace: string,
  { url, kubeconfig }: Pick<OtherCluster, 'url' | 'kubeconfig'>,
): readonly [Secret, GitOpsDeploymentManagedEnvironment] => {
  const metadata = { name: ENVIRONMENT, namespace };
  const data = { kubeconfig: Buffer.from(kubeconfig).toString('base64') };
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata, type: managedEnvironmentSecretType, data },
    {
      apiVersion: 'managed-gitops.redhat.com/v1alpha1',
      kind: 'GitOpsDeploymentManagedEnvironment',
      metadata,
      spec: { apiURL: url, credentialsSecret: ENVIRONMENT, allowInsecureSkipTLSVerify: true },
    },
  ];
};

/** Shows it. `sample` says that the sample repository is deployed, so that it is known what comes. */
export const showEnvironment = async (
  stage: Stage,
  other: OtherCluster,
  { sample, ...wanted }: Wanted & { readonly sample: boolean },
): Promise<void> => {
  const { client, write, namespace } = stage;
  const [secret, environment] = environmentOf(namespace, other);
  await client.create(secrets, secret);
  await client.create(gitOpsDeploymentManagedEnvironments, environment);
  write('');
  write(`Applied GitOpsDeploymentManagedEnvironment ${namespace}/${ENVIRONMENT}: ${other.url}`);
  const place: Place = { namespace, name: ENVIRONMENT };
  const readEnvironment = () => read(client, gitOpsDeploymentManagedEnvironments, place);
  const subject = { kind: 'GitOpsDeploymentManagedEnvironment', read: readEnvironment };
  await see(stage, subject, [{ name: 'connected', look: async () => readyMessage(await readEnvironment()) }]);

  const destination = { environment: ENVIRONMENT, namespace: other.namespace };
  const applied = await applyDeployment(stage, { ...wanted, destination });
  await see(stage, applied.subject, [
    { name: 'cluster Secret', look: () => argoCdSecret(stage, 'cluster') },
    ...arrival(stage, applied),
    ...(sample ? [onTheOther(other)] : []),
  ]);

  await deleteDeployment(stage, applied);
  write('');
  write(`Deleted GitOpsDeployment ${namespace}/${applied.name}`);
  await see(stage, applied.subject, disappearance(stage, applied, other));

  await client.delete(gitOpsDeploymentManagedEnvironments, place);
  await client.delete(secrets, place);
  write('');
  write(`Deleted GitOpsDeploymentManagedEnvironment ${namespace}/${ENVIRONMENT}`);
  await see(stage, subject, [{ name: 'cluster Secret', look: () => goneSecret(stage, 'cluster') }]);
};

const onTheOther = ({ client, namespace }: OtherCluster): Sight => ({
  name: 'on the other one',
  look: async () =>
    (await read(client, configMaps, { namespace, name: pageConfigMap }))
      ? `ConfigMap ${pageConfigMap} is there`
      : undefined,
});
