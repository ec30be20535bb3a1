// What the oracle asks of credentials: row and Argo CD's Secret say what the user's Secret does, and go with the object.
import { repositorySecretName } from '../../src/api/labels.ts';
import type { GitOpsDeploymentRepositoryCredential } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import type { Secret } from '../../src/kube/object.ts';
import { textsOf } from './environment-oracle.ts';
import { difference, readyAs, type Check } from './saying.ts';

/** The row of a credential, and the link to it. */
export interface CredentialRow {
  /** Null for a row that no link leads to. */
  readonly uid: string | null;
  readonly name: string | null;
  readonly namespace: string | null;
  /** Null for a link that leads nowhere. */
  readonly id: string | null;
  readonly url: string | null;
  readonly password: string | null;
  readonly userId: string | null;
}

/** Reads those of all credentials. */
export const CREDENTIAL_ROWS = `
select m.api_resource_uid as uid, m.api_resource_name as name, m.api_resource_namespace as namespace,
  c.repositorycredentials_id as id, c.repo_cred_url as url, c.repo_cred_pass as password, c.repo_cred_user_id as "userId"
from repositorycredentials c
full join (
  select * from apicrtodatabasemapping where api_resource_type = 'GitOpsDeploymentRepositoryCredential'
) m on m.db_relation_key = c.repositorycredentials_id`;

/** What there is of credentials. */
interface Credentials {
  readonly credentials: readonly GitOpsDeploymentRepositoryCredential[];
  readonly rows: readonly CredentialRow[];
  /** All of all namespaces. */
  readonly secrets: readonly Secret[];
  readonly engineNamespace: string;
}

/** What does not agree about credentials. */
export const credentialDisagreements = (present: Credentials): readonly string[] => {
  const { credentials, rows, secrets, engineNamespace } = present;
  const live = credentials.filter(({ metadata }) => !metadata.deletionTimestamp);
  const uids = new Set(live.map(({ metadata }) => metadata.uid));
  const isLeft = ({ uid, id }: CredentialRow): boolean => uid === null || id === null || !uids.has(uid);
  const names = new Set(rows.filter((row) => !isLeft(row)).map(({ id }) => repositorySecretName(id ?? '')));
  return [
    ...live.flatMap((credential) => oneCredential(present, credential)),
    ...rows.filter(isLeft).map((row) => `the row of credential ${row.namespace}/${row.name} (${row.id}) was left over`),
    ...secrets
      .filter(
        ({ metadata: { namespace, name } }) =>
          namespace === engineNamespace && name.startsWith('repo-cred-') && !names.has(name),
      )
      .map(({ metadata }) => `the repository Secret ${metadata.name} was left over`),
  ];
};

const oneCredential = (
  { rows, secrets, engineNamespace }: Credentials,
  credential: GitOpsDeploymentRepositoryCredential,
): readonly string[] => {
  const { name, namespace = '', uid = '' } = credential.metadata;
  const who = `credential ${namespace}/${name} (${uid})`;
  const mine = rows.filter((row) => row.uid === uid);
  const [row] = mine;
  if (!row || mine.length > 1) return [`${who} has ${mine.length} links, not one`];
  const { repository: url = '', secret: secretName = '' } = credential.spec ?? {};
  const find = (where: string, what: string): Secret | undefined =>
    secrets.find(({ metadata }) => metadata.namespace === where && metadata.name === what);
  const given = textsOf(find(namespace, secretName) ?? noSecret);
  const wanted = { name: secretName, url, ...given, project: `app-project-${row.userId}` };
  const checks: Check[] = [
    ...difference(
      'its row',
      { name, namespace, url, password: given['password'] },
      { name: row.name, namespace: row.namespace, url: row.url, password: row.password },
    ),
    ...readyAs(credential),
    ...difference(
      'its repository Secret',
      wanted,
      textsOf(find(engineNamespace, repositorySecretName(row.id ?? '')) ?? noSecret),
    ),
  ];
  return checks.filter(([isRight]) => !isRight).map(([, text]) => `${who}: ${text}`);
};

const noSecret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: '' } };
