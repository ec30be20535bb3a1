// What a crash test holds the service to: exactly what was asked for is there, everything agrees, nothing is left over.
import { applications } from '../../src/api/argocd/application.ts';
import { gitOpsDeploymentSyncRuns } from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { engineNamespace, type Lane } from './crash-lane.ts';
import type { Stage } from './crash-stage.ts';
import { disagreements } from './oracle.ts';

/** What differs from what the stages ask for and from one another, a sentence each. */
export const differencesOf = async (lane: Lane, stages: readonly Stage[]): Promise<readonly string[]> => {
  const { items } = await lane.client.list(gitOpsDeployments);
  const asked = compare(
    'GitOpsDeployments',
    items.map(({ metadata, spec }) => `${metadata.namespace}/${metadata.name} of ${spec?.source.path}`),
    stages.flatMap(({ namespace, deployments }) =>
      [...deployments].map(([name, path]) => `${namespace}/${name} of ${path}`),
    ),
  );
  if (asked.length > 0) return asked;
  return [
    ...(await syncDifferences(lane, stages)),
    ...(await disagreements({
      client: lane.client,
      database: lane,
      engineNamespace,
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
      from syncoperation full join apicrtodatabasemapping on db_relation_key = syncoperation_id`),
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

const compare = (what: string, present: readonly string[], wanted: readonly string[]): readonly string[] => {
  const [one, other] = [present, wanted].map((names) => names.toSorted().join(', '));
  return one === other ? [] : [`the ${what} are ${one || 'none'}, not ${other || 'none'}`];
};
