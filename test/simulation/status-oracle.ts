// What the oracle asks of statuses: the row holds what the Application says, and the deployment mirrors it.
import type { Application } from '../../src/api/argocd/application.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { readStatus } from '../../src/domain/application-status.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import type { LinkRow } from './oracle-rows.ts';
import { difference, type Check } from './saying.ts';

/** One deployment with all that speaks of its status. */
interface Told {
  readonly deployment: GitOpsDeployment;
  readonly application: Application;
  readonly stored: LinkRow['stored'];
}

/** What has to hold of the status of one deployment. */
export const statusDisagreements = (told: Told): readonly Check[] => {
  const { deployment, application, stored } = told;
  if (!stored) return [[false, 'its Application has never been reported']];
  const said = application.status;
  const row = readStatus(stored.blob);
  const { sync, health, reconciledState, conditions = [] } = deployment.status ?? {};
  const comparedTo = said?.sync?.comparedTo;
  const ready = conditions.find((condition) => condition.type === 'Ready');
  return [
    ...difference('its stored sync', syncOf(said), { status: row.sync.status, revision: row.sync.revision }),
    ...difference('its stored health', said?.health?.status ?? '', row.health.status),
    ...difference('its sync', syncOf(said), { status: sync?.status ?? '', revision: sync?.revision ?? '' }),
    ...difference('its health', said?.health?.status ?? '', health?.status ?? ''),
    ...difference('its reconciled source', sourceOf(comparedTo?.source), reconciledState?.source),
    ...difference('its sync operation', said?.operationState?.phase, deployment.status?.operationState?.phase),
    ...difference('its generation in the status', deployment.metadata.generation, ready?.observedGeneration),
    [
      (ready?.status === 'True') === isReady(application),
      `Ready is ${ready?.status}: ${ready?.reason}, ${ready?.message}`,
    ],
    ...conditions
      .filter(({ type, status }) => type === 'ErrorOccurred' && status === 'True')
      .map(({ message }): Check => [false, `an error stands: ${message}`]),
  ];
};

const syncOf = (said: Application['status']) => ({
  status: said?.sync?.status ?? '',
  revision: said?.sync?.revision ?? '',
});

const sourceOf = (
  source: { repoURL?: string; path?: string | undefined; targetRevision?: string | undefined } = {},
) => ({
  repoURL: source.repoURL ?? '',
  path: source.path ?? '',
  branch: source.targetRevision ?? '',
});

/** Synced with what it asks for now, healthy, and no sync under way or failed, but for one of a sync run, which tells of it. */
const isReady = ({ spec, status }: Application): boolean => {
  const phase = status?.operationState?.phase ?? 'Succeeded';
  return (
    status?.sync?.status === 'Synced' &&
    status.health?.status === 'Healthy' &&
    (phase === 'Succeeded' || (phase === 'Failed' && isOfSyncRun(status))) &&
    isEqualJson(status.sync.comparedTo, { source: spec.source, destination: spec.destination })
  );
};

const isOfSyncRun = (status: Application['status']): boolean =>
  status?.operationState?.operation?.info?.some(({ name }) => name === 'syncoperation') ?? false;
