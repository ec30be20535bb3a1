// GitOpsDeploymentSyncRuns of tests, and an Argo CD that syncs step by step as the test says.
import type { Application } from '../../src/api/argocd/application.ts';
import { refreshAnnotation } from '../../src/api/labels.ts';
import type { GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
  type GitOpsDeploymentSyncRunCondition,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import type { ObjectRef } from '../../src/kube/object.ts';
import { deploymentsOf, orAbsent } from './deployments.ts';
import { eventually } from './eventually.ts';
import type { World } from './world.ts';

/** A sync run `sync` of deployment `app`, unless told otherwise. */
export const aSyncRun = (options: {
  readonly namespace: string;
  readonly name?: string;
  readonly deployment?: string;
  readonly revision?: string;
  readonly finalizers?: string[];
}): GitOpsDeploymentSyncRun => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentSyncRun',
  metadata: {
    name: options.name ?? 'sync',
    namespace: options.namespace,
    ...(options.finalizers && { finalizers: options.finalizers }),
  },
  spec: {
    gitopsDeploymentName: options.deployment ?? 'app',
    ...(options.revision !== undefined && { revisionID: options.revision }),
  },
});

/** The condition of a type. */
export const syncConditionOf = (
  syncRun: GitOpsDeploymentSyncRun | undefined,
  type: string,
): GitOpsDeploymentSyncRunCondition | undefined => syncRun?.status?.conditions?.find((one) => one.type === type);

/** A world seen from its sync runs. */
export interface SyncRuns {
  create(syncRun: GitOpsDeploymentSyncRun): Promise<GitOpsDeploymentSyncRun>;
  get(ref: ObjectRef): Promise<GitOpsDeploymentSyncRun | undefined>;
  /** Waits for a condition with this reason, and gives the sync run. */
  withReason(ref: ObjectRef, type: string, reason: string): Promise<GitOpsDeploymentSyncRun>;
  /** Waits for a condition with this message, and gives the sync run. */
  withMessage(ref: ObjectRef, type: string, message: string): Promise<GitOpsDeploymentSyncRun>;
}

/** The reads and writes that tests do on a world's sync runs. */
export const syncRunsOf = ({ client }: World): SyncRuns => {
  const get: SyncRuns['get'] = (ref) => orAbsent(client.get(gitOpsDeploymentSyncRuns, ref));
  const withCondition = (ref: ObjectRef, what: Partial<GitOpsDeploymentSyncRunCondition>) =>
    eventually(JSON.stringify(what), async () => {
      const syncRun = await get(ref);
      const condition = syncConditionOf(syncRun, what.type ?? '');
      const fits = Object.entries(what).every(([field, value]) => condition?.[field as 'reason'] === value); // a field of it
      if (!fits) throw new Error(JSON.stringify(syncRun?.status?.conditions));
      return syncRun;
    });
  return {
    create: (syncRun) => client.create(gitOpsDeploymentSyncRuns, syncRun),
    get,
    withReason: (ref, type, reason) => withCondition(ref, { type, reason }),
    withMessage: (ref, type, message) => withCondition(ref, { type, message }),
  };
};

/** Argo CD, one step at a time. */
export interface SteppedArgoCd {
  /** Waits until a refresh is asked for, and does it. */
  refresh(): Promise<Application>;
  /** Waits until a sync is ordered, and begins it. Returns the Application as it was ordered. */
  begin(): Promise<Application>;
  /** Ends the sync that runs. */
  end(phase: string, result?: { readonly message?: string; readonly resources?: readonly unknown[] }): Promise<void>;
  /** All of it: refresh, begin, end well. Returns the Application as it was ordered. */
  sync(): Promise<Application>;
  /** Waits until the sync that runs is asked to end, and ends it as Argo CD does. */
  terminate(): Promise<void>;
}

/** Plays Argo CD for the Application of one deployment. */
export const argoCdFor = (world: World, deployment: GitOpsDeployment): SteppedArgoCd => {
  const { application, patchApplication } = deploymentsOf(world);
  const seen = (what: string, look: (present: Application) => boolean): Promise<Application> =>
    eventually(what, async () => {
      const present = await application(deployment);
      if (present && look(present)) return present;
      throw new Error(JSON.stringify({ metadata: present?.metadata, operation: present?.operation }));
    });
  const startedAt = '2026-01-01T00:00:00Z';
  const end: SteppedArgoCd['end'] = async (phase, { message = '', resources = [] } = {}) => {
    const syncResult = { revision: 'b'.repeat(40), resources };
    const finishedAt = '2026-01-01T00:00:01Z';
    const operationState = { phase, message, startedAt, finishedAt, syncResult };
    // Argo CD compares again at once, and dates it in a write of its own.
    await patchApplication(deployment, { operation: null, status: { operationState } });
    await patchApplication(deployment, { status: { reconciledAt: finishedAt } });
  };
  const refresh: SteppedArgoCd['refresh'] = async () => {
    await seen('a refresh is asked for', ({ metadata }) => metadata.annotations?.[refreshAnnotation] === 'normal');
    return patchApplication(deployment, { metadata: { annotations: { [refreshAnnotation]: null } } });
  };
  const begin: SteppedArgoCd['begin'] = async () => {
    const ordered = await seen('a sync is ordered', ({ operation }) => operation !== undefined);
    const operationState = {
      operation: ordered.operation,
      phase: 'Running',
      startedAt,
      finishedAt: null,
      syncResult: null,
    };
    await patchApplication(deployment, { status: { operationState } });
    return ordered;
  };
  return {
    refresh,
    begin,
    end,
    async sync() {
      await refresh();
      const ordered = await begin();
      await end('Succeeded', { message: 'successfully synced (all tasks run)' });
      return ordered;
    },
    async terminate() {
      await seen('the sync is asked to end', ({ status }) => status?.operationState?.phase === 'Terminating');
      await end('Failed', { message: 'Operation terminated' });
    },
  };
};
