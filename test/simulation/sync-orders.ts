// Looks on at each sync that is ordered: one at a time, each once, and of a source that its sync run can mean.
import { applications, type Application } from '../../src/api/argocd/application.ts';
import { deploymentUidOf } from '../../src/api/labels.ts';
import {
  gitOpsDeploymentSyncRuns,
  type GitOpsDeploymentSyncRun,
} from '../../src/api/v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { isRecord } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { isEqualJson } from '../../src/kube/patch.ts';
import type { ServiceRequest } from './faulty-api.ts';
import type { PresentObjects, Recorder } from './recorder.ts';

/** What an operation was ordered for is in its notes. */
const syncKey = (applicationUid: string, operation: unknown): string =>
  JSON.stringify([applicationUid, isRecord(operation) ? operation['info'] : undefined]);

/** The part of a recorder that looks at syncs; `wrong` takes what was done against the promises. */
export const createSyncOrders = (
  present: PresentObjects,
  wrong: (isWrong: boolean, text: string) => void,
): Pick<Recorder, 'made' | 'changed' | 'synced' | 'request'> => {
  const ended = new Set<string>();
  const sources = createSourceWatch(present);
  return {
    made: sources.made,
    changed: sources.changed,
    synced: (applicationUid, operation) => void ended.add(syncKey(applicationUid, operation)),
    request({ resource, name, body }: ServiceRequest) {
      if (resource !== applications.plural || !isRecord(body) || !isRecord(body['operation'])) return;
      const found = present(applications).find(({ metadata }) => metadata.name === name);
      const { resourceVersion, uid = '' } = found?.metadata ?? {};
      // One that was made from an older version is refused, and does nothing.
      if (!isRecord(body['metadata']) || body['metadata']['resourceVersion'] !== resourceVersion) return;
      wrong(found?.operation !== undefined, `a sync of ${name} was ordered while another one was ordered`);
      wrong(ended.has(syncKey(uid, body['operation'])), `a sync of ${name} that had ended was ordered again`);
      wrong(
        found !== undefined && !sources.fits(found),
        `a sync of ${name} was ordered of a source from before its sync run was made`,
      );
    },
  };
};

/** Which sources each deployment has had, and which of them each sync run was made of. */
const createSourceWatch = (present: PresentObjects) => {
  const sources = new Map<string, unknown[]>();
  const runs = new Map<string, { readonly deployment: string; readonly uid: string; readonly from: number }>();
  const sourceOf = ({ spec }: GitOpsDeployment): unknown => spec?.source;
  const changed = (deployment: GitOpsDeployment): void => {
    const { uid = '' } = deployment.metadata;
    sources.set(uid, [...(sources.get(uid) ?? []), sourceOf(deployment)]);
  };
  const deploymentAt = (path: string): GitOpsDeployment | undefined =>
    present(gitOpsDeployments).find(({ metadata }) => `${metadata.namespace}/${metadata.name}` === path);
  const hasEnded = (syncRunUid: string): boolean => {
    const found = present(gitOpsDeploymentSyncRuns).find(({ metadata }) => metadata.uid === syncRunUid);
    const ready = (found?.status?.conditions ?? []).find(({ type }) => type === 'Ready');
    return ready?.status === 'True' || ready?.reason === 'SyncFailed';
  };
  return {
    changed,
    made(object: KubeObject): void {
      if (object.kind === gitOpsDeployments.kind) changed(object);
      if (object.kind !== gitOpsDeploymentSyncRuns.kind) return;
      const { spec }: GitOpsDeploymentSyncRun = object;
      const deployment = `${object.metadata.namespace}/${spec?.gitopsDeploymentName}`;
      const uid = deploymentAt(deployment)?.metadata.uid ?? '';
      const from = Math.max((sources.get(uid)?.length ?? 0) - 1, 0);
      runs.set(object.metadata.uid ?? '', { deployment, uid, from });
    },
    /** True when the Application has a source that one of the sync runs which may order it can mean. */
    fits({ metadata, spec }: Application): boolean {
      const uid = deploymentUidOf(metadata.name) ?? '';
      const now = present(gitOpsDeployments).find((one) => one.metadata.uid === uid);
      if (!now) return true; // it goes, and its sync with it
      const path = `${now.metadata.namespace}/${now.metadata.name}`;
      const open = [...runs].filter(([runUid, run]) => run.deployment === path && !hasEnded(runUid));
      return open.some(([, run]) => {
        const meant = run.uid === uid ? (sources.get(uid) ?? []).slice(run.from) : (sources.get(uid) ?? []);
        return [...meant, sourceOf(now)].some((source) => isEqualJson(source, spec.source));
      });
    },
  };
};
