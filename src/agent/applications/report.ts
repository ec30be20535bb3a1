// Step 7: brings an Application's status into its row, when it differs from what is there.
import { databaseIdLabel } from '../../api/labels.ts';
import type { Application } from '../../api/argocd/application.ts';
import { writeStatus } from '../../domain/application-status.ts';
import { endSyncPatch, retriesOldRevision } from '../../domain/running-sync.ts';
import { parseTime } from '../../lib/clock.ts';
import type { Reconcile } from '../../runtime/controller.ts';
import type { AgentContext, SharedWork } from '../context.ts';
import { patchApplication } from '../patch-application.ts';
import type { Results } from '../results.ts';
import { writePresent } from '../written.ts';

/** The key of an Application's report, `<application id>/report/<namespace/name>`: each reports in its own turn. */
export const reportKey = (applicationId: string, storeKey: string): string => `${applicationId}/report/${storeKey}`;

/**
 * A new Application that is younger most likely has not been looked at by Argo CD: that it has no status is not worth a
 * report. Milliseconds.
 */
const YOUNG_MS = 60_000;

/** Reports Applications. */
export interface Reporter {
  readonly reconcile: Reconcile;
  /** Forgets what the rows hold, so that the next pass over each looks again. */
  forget(): void;
}

const youngForMs = ({ metadata }: Application, nowMs: number): number =>
  Math.min((parseTime(metadata.creationTimestamp) ?? 0) + YOUNG_MS - nowMs, YOUNG_MS);

/** Creates the reporter. What the row is known to hold already costs no statement. */
export const createReporter = (context: AgentContext & SharedWork, results: Pick<Results, 'report'>): Reporter => {
  const stored = new Map<string, string>();
  const reconcile: Reconcile = async (key, { signal }) => {
    const [applicationId = '', , namespace = '', name = ''] = key.split('/');
    const application = context.applications.get(`${namespace}/${name}`);
    if (application?.metadata.labels?.[databaseIdLabel] !== applicationId) {
      stored.delete(applicationId);
      return undefined;
    }
    const leftMs = application.status || stored.has(applicationId) ? 0 : youngForMs(application, context.clock.now());
    if (leftMs > 0) return { afterMs: leftMs };
    const { bytes, hash } = writeStatus(application.status);
    if (stored.get(applicationId) !== hash) {
      await results.report({ applicationId, bytes, hash });
      stored.set(applicationId, hash);
    }
    const end = retriesOldRevision(application) ? endSyncPatch(application) : undefined;
    if (end) await writePresent(() => patchApplication({ ...context, signal }, application, end));
    return undefined;
  };
  return { reconcile, forget: () => stored.clear() };
};
