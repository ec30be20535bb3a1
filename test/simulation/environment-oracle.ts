// What the oracle asks of environments: rows, Argo CD's Secret and the account on the cluster say the same, and go together.
import { managedEnvironmentSecretName } from '../../src/api/labels.ts';
import type { GitOpsDeploymentManagedEnvironment } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import type { Secret } from '../../src/kube/object.ts';
import { difference, readyAs, type Check } from './saying.ts';

/** The rows of an environment, and the link to them. */
export interface EnvironmentRow {
  /** Null for rows that no link leads to. */
  readonly uid: string | null;
  readonly name: string | null;
  readonly namespace: string | null;
  /** Null for a link that leads nowhere. */
  readonly id: string | null;
  readonly host: string | null;
  readonly token: string | null;
  readonly insecure: boolean | null;
  readonly account: string | null;
  /** The tenant whose project permits it. */
  readonly userId: string | null;
}

/** Reads those of all environments but the tenants' own, in the order in which tenants got them. */
export const ENVIRONMENT_ROWS = `
select m.api_resource_uid as uid, m.api_resource_name as name, m.api_resource_namespace as namespace,
  e.managedenvironment_id as id, c.host, c.serviceaccount_bearer_token as token, c.allowinsecure_skiptlsverify as insecure,
  c.service_account as account, p.clusteruser_id as "userId"
from (
  select * from managedenvironment where managedenvironment_id not in (
    select db_relation_key from kubernetestodbresourcemapping where db_relation_type = 'ManagedEnvironment'
  )
) e
join clustercredentials c on c.clustercredentials_cred_id = e.clustercredentials_id
left join appprojectmanagedenvironment p on p.managed_environment_id = e.managedenvironment_id
full join (
  select * from apicrtodatabasemapping where api_resource_type = 'GitOpsDeploymentManagedEnvironment'
) m on m.db_relation_key = e.managedenvironment_id
order by p.seq_id`;

/** What is outside of the service's own cluster. */
export interface OutsideView {
  /** The tokens that ServiceAccounts have, by `keyOf`. */
  readonly accounts: ReadonlyMap<string, ReadonlySet<string>>;
  readonly keyOf: (host: string, serviceAccount: string) => string;
  /** What `accounts` calls the token. */
  readonly nameOf: (token: string) => string;
  /** How many tokens an account may have besides the one in use: those before are revoked when it is asked again. */
  readonly spare: number;
  /** The accounts that rows have ever told of, as in `accounts`: the others nobody could remove. */
  readonly known: ReadonlySet<string>;
}

/** What there is of environments. */
interface Environments {
  readonly environments: readonly GitOpsDeploymentManagedEnvironment[];
  readonly rows: readonly EnvironmentRow[];
  /** All in Argo CD's namespace. */
  readonly secrets: readonly Secret[];
  /** Names of the clusters that Applications are deployed to. */
  readonly used: ReadonlySet<string>;
  /** Undefined where nobody can look. */
  readonly outside: OutsideView | undefined;
}

/** What does not agree about environments. */
export const environmentDisagreements = (present: Environments): readonly string[] => {
  const { environments, rows, secrets, outside } = present;
  const live = environments.filter(({ metadata }) => !metadata.deletionTimestamp);
  const uids = new Set(live.map(({ metadata }) => metadata.uid));
  const isLeft = ({ uid, id }: EnvironmentRow): boolean => uid === null || id === null || !uids.has(uid);
  const names = new Set(rows.filter((row) => !isLeft(row)).map(({ id }) => managedEnvironmentSecretName(id ?? '')));
  const accounts = new Set(rows.map(({ host, account }) => outside?.keyOf(host ?? '', account ?? '')));
  return [
    ...live.flatMap((environment) => oneEnvironment(present, environment)),
    ...rows
      .filter(isLeft)
      .map((row) => `the rows of environment ${row.namespace}/${row.name} (${row.id}) were left over`),
    ...secrets
      .filter(({ metadata: { name } }) => name.startsWith('managed-env-') && !names.has(name))
      .map(({ metadata }) => `the cluster Secret ${metadata.name} was left over`),
    ...[...(outside?.accounts.keys() ?? [])]
      .filter((key) => !accounts.has(key) && outside?.known.has(key))
      .map((key) => `the ServiceAccount ${key} was left over`),
  ];
};

const oneEnvironment = (
  { rows, secrets, used, outside }: Environments,
  environment: GitOpsDeploymentManagedEnvironment,
): readonly string[] => {
  const { name, namespace = '', uid = '' } = environment.metadata;
  const who = `environment ${namespace}/${name} (${uid})`;
  const mine = rows.filter((row) => row.uid === uid);
  const [row] = mine;
  if (!row || mine.length > 1) return [`${who} has ${mine.length} links, not one`];
  const { apiURL = '', allowInsecureSkipTLSVerify = false, createNewServiceAccount = false } = environment.spec ?? {};
  const account = createNewServiceAccount ? `argocd-manager-${uid}` : null;
  const cluster = managedEnvironmentSecretName(row.id ?? '');
  const secret = secrets.find(({ metadata }) => metadata.name === cluster);
  const connection = environment.status?.conditions?.find(({ type }) => type === 'ConnectionInitializationSucceeded');
  const checks: Check[] = [
    ...difference(
      'its row',
      { name, namespace, host: apiURL, insecure: allowInsecureSkipTLSVerify, account },
      { name: row.name, namespace: row.namespace, host: row.host, insecure: row.insecure, account: row.account },
    ),
    [row.userId !== null, 'no project permits it'],
    [connection?.status === 'True', `its connection is ${connection?.status}: ${connection?.reason}`],
    ...readyAs(environment),
    [secret !== undefined || !used.has(cluster), 'an Application is deployed to it, and it has no cluster Secret'],
    ...(secret ? difference('its cluster Secret', wantedSecret(row), textsOf(secret)) : []),
    ...(outside && account !== null ? tokenChecks(outside, row) : []),
  ];
  return checks.filter(([isRight]) => !isRight).map(([, text]) => `${who}: ${text}`);
};

const tokenChecks = (
  { accounts, keyOf, nameOf, spare }: OutsideView,
  { host, account, token }: EnvironmentRow,
): readonly Check[] => {
  const tokens = accounts.get(keyOf(host ?? '', account ?? '')) ?? new Set();
  return [
    [tokens.has(nameOf(token ?? '')), 'its token is not valid on the cluster'],
    [tokens.size <= 1 + spare, `its account has ${tokens.size} tokens`],
  ];
};

const wantedSecret = ({ id, host, token, insecure }: EnvironmentRow): unknown => ({
  name: `managed-env-${id}`,
  server: `${host}?managedEnvironment=${id}`,
  config: JSON.stringify({ bearerToken: token, tlsClientConfig: { insecure } }),
});

/** The data of a Secret as texts. */
export const textsOf = ({ data = {} }: Secret): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
