// Turns what the database notifies into keys: whose lane is it?
import { selectLanes, selectLanesOfApplications, type LaneRow } from '../db/queries/deployment-facts.ts';
import { selectSubjects } from '../db/queries/operation.ts';
import { selectSyncRunLanes } from '../db/queries/sync-run-facts.ts';
import type { Database } from '../db/pool.ts';
import { isEnded } from '../domain/operation.ts';
import type { Reconcile } from '../runtime/controller.ts';
import type { Priority } from '../runtime/queue.ts';
import { laneKey, type LaneKind } from './lane.ts';

/** The only key of the waker. */
export const wakeKey = 'backend/wake/all';

/** What has been notified and not yet been turned into keys. */
export interface Wake {
  readonly reconcile: Reconcile;
  /** Rows of `applicationstate` changed. */
  applications(ids: readonly string[]): void;
  /** Rows of `operation` were written, touched or ended. */
  operations(ids: readonly string[]): void;
  /** Every lane the rows know: at start, at the slow resync, and when notifications may have been missed. */
  everything(): void;
}

/** Where keys go. */
export interface WakeTargets {
  readonly db: Database;
  readonly lane: (kind: LaneKind, key: string, priority: Priority) => void;
  readonly deliver: () => void;
}

/** Creates the waker. What it could not look up is kept for its next try. */
export const createWake = ({ db, lane, deliver }: WakeTargets): Wake => {
  const applications = new Set<string>();
  const operations = new Set<string>();
  const syncs = new Set<string>();
  let everything = false;
  const tell = (kind: LaneKind, { namespace_uid: namespaceUid, name }: LaneRow, priority: Priority): void =>
    lane(kind, laneKey(kind, { namespaceUid, name }), priority);

  const resolveOperations = async (): Promise<void> => {
    const subjects = await takeAll(operations, (ids) => selectSubjects(db, ids));
    if (subjects.some((subject) => subject.delivered_at === null)) deliver();
    for (const { resource_type, resource_id, state } of subjects) {
      if (!isEnded(state) && state !== 'In_Progress') continue;
      if (resource_type === 'Application') applications.add(resource_id);
      if (resource_type === 'SyncOperation') syncs.add(resource_id);
    }
  };
  const resolveApplications = async (): Promise<void> => {
    const rows = await takeAll(applications, (ids) => selectLanesOfApplications(db, ids));
    for (const row of rows) tell('deployment', row, 'change');
  };
  const resolveSyncs = async (): Promise<void> => {
    const rows = await takeAll(syncs, (ids) => selectSyncRunLanes(db, ids));
    for (const row of rows) tell('sync', row, 'change');
  };
  const resolveEverything = async (): Promise<void> => {
    if (!everything) return;
    everything = false;
    const lookUp = () => Promise.all([selectLanes(db), selectSyncRunLanes(db, null)]);
    const [deployments, syncRuns] = await lookUp().catch((error: unknown) => {
      everything = true;
      throw error;
    });
    deliver();
    for (const row of deployments) tell('deployment', row, 'resync');
    for (const row of syncRuns) tell('sync', row, 'resync');
  };

  return {
    applications: (ids) => ids.forEach((id) => applications.add(id)),
    operations: (ids) => ids.forEach((id) => operations.add(id)),
    everything() {
      everything = true;
    },
    async reconcile() {
      await resolveOperations();
      await resolveApplications();
      await resolveSyncs();
      await resolveEverything();
    },
  };
};

/**
 * Looks up what was heard. It is taken out before the look: what is heard meanwhile is newer, and is looked up again.
 * After a failure everything is back.
 */
const takeAll = async <Row>(
  heard: Set<string>,
  look: (ids: readonly string[]) => Promise<readonly Row[]>,
): Promise<readonly Row[]> => {
  const ids = [...heard];
  if (ids.length === 0) return [];
  heard.clear();
  try {
    return await look(ids);
  } catch (error) {
    for (const id of ids) heard.add(id);
    throw error;
  }
};
