// What a crash test holds the service to: exactly what was asked for is there, everything agrees, nothing is left over.
import { applications } from '../../src/api/argocd/application.ts';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentials } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { secretNameIn } from '../../src/backend/remote-service-account.ts';
import { secrets } from '../../src/kube/object.ts';
import { serviceAccounts } from '../kit/original-remote.ts';
import { engineNamespace, type Lane } from './crash-lane.ts';
import type { Stage } from './crash-stage.ts';
import type { OutsideView } from './environment-oracle.ts';
import { disagreements } from './oracle.ts';

/** What differs from what the stages ask for and from one another, a sentence each. */
export const differencesOf = async (lane: Lane, stages: readonly Stage[]): Promise<readonly string[]> => {
  const [{ items }, environments, credentials] = await Promise.all([
    lane.client.list(gitOpsDeployments),
    lane.client.list(gitOpsDeploymentManagedEnvironments),
    lane.client.list(gitOpsDeploymentRepositoryCredentials),
  ]);
  const askedDeployments = compare(
    'GitOpsDeployments',
    items.map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} of ${spec?.source.path}`),
    stages.flatMap(({ namespace, deployments }) =>
      [...deployments].map(([name, path]) => `${namespace}/${name} of ${path}`),
    ),
  );
  const asked = [
    ...askedDeployments,
    ...compare(
      'environments',
      environments.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      stages.flatMap((stage) => [...stage.environments].map((name) => `${stage.namespace}/${name}`)),
    ),
    ...compare(
      'credentials',
      credentials.items.map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} of ${spec?.repository}`),
      stages.flatMap((stage) => [...stage.credentials].map(([name, url]) => `${stage.namespace}/${name} of ${url}`)),
    ),
  ];
  if (asked.length > 0) return asked;
  return [
    ...(await syncDifferences(lane, stages)),
    ...(await disagreements({
      client: lane.client,
      database: lane,
      engineNamespace,
      outsideView: () => outsideViewOf(lane),
    })),
  ];
};

/** Each sync that is asked for has been done once, and there is no trace of any other. */
const syncDifferences = async (lane: Lane, stages: readonly Stage[]): Promise<readonly string[]> => {
  const wanted = stages.flatMap(({ namespace, syncs }) => [...syncs].map((name) => `${namespace}/${name}`));
  const [runs, apps, rows] = await Promise.all([
    lane.client.list(gitOpsDeploymentSyncRuns),
    lane.client.list(applications, { namespace: engineNamespace }),
    lane.sql<{ id: string; key: string | null; ended: boolean }>(`
      select syncoperation_id as id, api_resource_namespace || '/' || api_resource_name as key, ended_at is not null as ended
      from syncoperation
      full join (select * from apicrtodatabasemapping where db_relation_type = 'SyncOperation') m
        on db_relation_key = syncoperation_id`),
  ]);
  const done = runs.items.filter(({ status }) =>
    status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'SyncSucceeded'),
  );
  return [
    ...compare(
      'syncs that are done',
      done.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      wanted,
    ),
    ...compare(
      'rows of syncs',
      rows.map(({ id, key, ended }) => `${id && key}${ended ? '' : ', open'}`),
      wanted,
    ),
    ...compare(
      'syncs that Argo CD has begun',
      lane.begun.filter((id) => rows.some((row) => row.id === id)),
      rows.map(({ id }) => id),
    ),
    ...compare(
      'Applications that sync',
      apps.items.filter(({ operation }) => operation).map(({ metadata }) => metadata.name),
      [],
    ),
  ];
};

/** Each token is called by the Secret that it is bound to. */
const outsideViewOf = async ({ remote }: Lane): Promise<OutsideView> => {
  const inSystem = { namespace: 'kube-system' };
  const [accounts, tokens] = await Promise.all([
    remote.client.list(serviceAccounts, inSystem),
    remote.client.list(secrets, inSystem),
  ]);
  const secretsOf = (account: string): ReadonlySet<string> =>
    new Set(
      tokens.items
        .filter(({ metadata }) => metadata.annotations?.['kubernetes.io/service-account.name'] === account)
        .map(({ metadata }) => metadata.name),
    );
  const made = accounts.items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('argocd-manager-'));
  const keyOf = (host: string, account: string): string => `${host} ${account}`;
  const byKey = new Map(made.map((name) => [keyOf(remote.url, name), secretsOf(name)]));
  return {
    accounts: byKey,
    keyOf,
    known: new Set(byKey.keys()),
    nameOf: (token) => secretNameIn(token) ?? '',
    spare: 1,
  };
};

const compare = (what: string, present: readonly string[], wanted: readonly string[]): readonly string[] => {
  const [one, other] = [present, wanted].map((names) => names.toSorted().join(', '));
  return one === other ? [] : [`the ${what} are ${one || 'none'}, not ${other || 'none'}`];
};
