// GitOpsDeploymentSyncRuns with odd values: the revision arrives in Argo CD as it was written, or the user is told.
import fc, { type Arbitrary } from 'fast-check';
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { applicationNameFor, refreshAnnotation } from '../../src/api/labels.ts';
import { unknownError } from '../../src/api/messages.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { aDeployment, orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { engineNamespace } from '../kit/world.ts';
import { isRefusal, SETTLE_MS, namespace, type Kind } from './ground.ts';
import { anyText, mostly } from './texts.ts';

type SyncRunSpec = NonNullable<GitOpsDeploymentSyncRun['spec']>;

/** Stands for the manual deployment that most sync runs name. */
const MANUAL = 'manual';

/** Specs that the schema lets through. */
export const syncRunSpecs: Arbitrary<SyncRunSpec> = fc.record(
  {
    gitopsDeploymentName: mostly<string>(fc.constant(MANUAL), fc.oneof(anyText, fc.constant('bystander'))),
    revisionID: fc.oneof(anyText, fc.constant('main')),
  },
  { requiredKeys: ['gitopsDeploymentName'] },
);

const conditionsOf = (syncRun: GitOpsDeploymentSyncRun) =>
  Object.fromEntries((syncRun.status?.conditions ?? []).map((condition) => [condition.type, condition]));

/** Whether the user knows by now how the sync run stands. */
const isTold = (syncRun: GitOpsDeploymentSyncRun): boolean => {
  const { Stalled, Ready, Reconciling, ErrorOccurred } = conditionsOf(syncRun);
  if (ErrorOccurred?.message === unknownError) throw new Error(`the cause is ours: ${unknownError}`);
  if (Stalled?.status === 'True') return Stalled.message !== '';
  return Ready?.status === 'True' || Reconciling?.reason === 'WaitingForDeployment';
};

/** Makes the manual deployment; gives the function that tries one spec. */
export const startSyncRunInput: Kind<SyncRunSpec> = async (ground) => {
  const { world, deployments } = ground;
  const manual = ground.newName();
  const deployment = await world.apply(aDeployment({ namespace, name: manual, type: 'manual' }));
  await deployments.deployed(deployment);
  const ref = { namespace: engineNamespace, name: applicationNameFor(deployment.metadata.uid ?? '') };
  const patch = (body: unknown): Promise<Application> => world.client.patch(applications, ref, { type: 'merge', body });

  /** What Argo CD would do next; the revisions of syncs that are ordered are taken down. */
  const playArgoCd = async (ordered: string[]): Promise<void> => {
    const { metadata, operation } = await world.client.get(applications, ref);
    if (metadata.annotations?.[refreshAnnotation]) {
      await patch({ metadata: { annotations: { [refreshAnnotation]: null } } });
    }
    if (!operation) return;
    ordered.push(operation.sync?.revision ?? '');
    const operationState = { operation, phase: 'Succeeded', startedAt: '2026-01-31T12:00:00Z' };
    await patch({ operation: null, status: { operationState } });
  };

  return async (input) => {
    const { gitopsDeploymentName: named } = input;
    const spec = { ...input, gitopsDeploymentName: named === MANUAL ? manual : named };
    const metadata = { name: ground.newName(), namespace };
    const ordered: string[] = [];
    try {
      const made = await world.client.create(gitOpsDeploymentSyncRuns, {
        apiVersion: 'managed-gitops.redhat.com/v1alpha1',
        kind: 'GitOpsDeploymentSyncRun',
        metadata,
        spec,
      });
      const told = await eventually(
        'the user is told',
        async () => {
          await playArgoCd(ordered);
          const shown = await world.client.get(gitOpsDeploymentSyncRuns, metadata);
          if (isTold(shown)) return shown;
          throw new Error(JSON.stringify(shown.status));
        },
        SETTLE_MS,
      );
      const isDone = conditionsOf(told)['Ready']?.status === 'True';
      const expected = isDone ? [spec.revisionID ?? ''] : [];
      if (JSON.stringify(ordered) !== JSON.stringify(expected)) {
        throw new Error(`ordered were ${JSON.stringify(ordered)}, told was ${JSON.stringify(told.status)}`);
      }
      if (JSON.stringify(told.spec) !== JSON.stringify(made.spec)) throw new Error('what the user wrote has changed');
    } catch (error) {
      if (!isRefusal(error)) throw error;
    } finally {
      await orAbsent(world.client.delete(gitOpsDeploymentSyncRuns, metadata));
      await eventually(
        'its rows are gone',
        async () => {
          await playArgoCd(ordered);
          const rows = await world.database.sql(
            `select from apicrtodatabasemapping where api_resource_name = '${metadata.name}'`,
          );
          return rows.length === 0;
        },
        SETTLE_MS,
      );
    }
  };
};
