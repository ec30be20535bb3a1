// A chapter of the demo: a private repository, which a credential opens for deployments.
import { repositoryCredentialSecretType } from '../../api/labels.ts';
import {
  gitOpsDeploymentRepositoryCredentials,
  type GitOpsDeploymentRepositoryCredential,
} from '../../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { secrets, type Secret } from '../../kube/object.ts';
import type { PrivateRepository } from '../private-repository.ts';
import { argoCdSecret, goneSecret } from './argocd-secret.ts';
import { applyDeployment, arrival, deleteDeployment, disappearance } from './deployment.ts';
import { read, readyMessage, see, type Place, type Stage } from './stage.ts';

/** Name of the credential, and of its Secret. */
const CREDENTIAL = 'private';

/** The credential as objects: its Secret, and itself. */
export const credentialOf = (
  namespace: string,
  { url, login }: Pick<PrivateRepository, 'url' | 'login'>,
): readonly [Secret, GitOpsDeploymentRepositoryCredential] => {
  const metadata = { name: CREDENTIAL, namespace };
  const encoded = Object.entries(login).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  const data: Record<string, string> = Object.fromEntries(encoded);
  return [
    { apiVersion: 'v1', kind: 'Secret', metadata, type: repositoryCredentialSecretType, data },
    {
      apiVersion: 'managed-gitops.redhat.com/v1alpha1',
      kind: 'GitOpsDeploymentRepositoryCredential',
      metadata,
      spec: { repository: url, secret: CREDENTIAL },
    },
  ];
};

/** Shows it. */
export const showCredential = async (
  stage: Stage,
  { namespace, name }: Place,
  repository: PrivateRepository,
): Promise<void> => {
  const { client, write } = stage;
  const { url, path } = repository;
  const [secret, credential] = credentialOf(namespace, repository);
  await client.create(secrets, secret);
  await client.create(gitOpsDeploymentRepositoryCredentials, credential);
  write('');
  write(`Applied GitOpsDeploymentRepositoryCredential ${namespace}/${CREDENTIAL}: ${url}`);
  const place: Place = { namespace, name: CREDENTIAL };
  const readCredential = () => read(client, gitOpsDeploymentRepositoryCredentials, place);
  const subject = { kind: 'GitOpsDeploymentRepositoryCredential', read: readCredential };
  await see(stage, subject, [
    { name: 'valid', look: async () => readyMessage(await readCredential()) },
    { name: 'repository Secret', look: () => argoCdSecret(stage, 'repository') },
  ]);

  const source = { repoURL: url, path };
  const applied = await applyDeployment(stage, { namespace, name, source, shownSource: `${path} of ${url}` });
  await see(stage, applied.subject, arrival(stage, applied));

  await deleteDeployment(stage, applied);
  write('');
  write(`Deleted GitOpsDeployment ${namespace}/${applied.name}`);
  await see(stage, applied.subject, disappearance(stage, applied));

  await client.delete(gitOpsDeploymentRepositoryCredentials, place);
  await client.delete(secrets, place);
  write('');
  write(`Deleted GitOpsDeploymentRepositoryCredential ${namespace}/${CREDENTIAL}`);
  await see(stage, subject, [{ name: 'repository Secret', look: () => goneSecret(stage, 'repository') }]);
};
