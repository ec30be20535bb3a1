// Turns what the database notifies into keys: whose lane is it?
import { selectLanes, selectLanesOfApplications, type LaneRow } from '../db/queries/deployment-facts.ts';
import { selectCredentialLanes } from '../db/queries/credential-facts.ts';
import { selectEnvironmentLanes } from '../db/queries/environment-facts.ts';
import { selectSyncRunLanes } from '../db/queries/sync-run-facts.ts';
import type { OperationEvent } from '../db/operation-event.ts';
import type { Database } from '../db/pool.ts';
import { isEnded } from '../domain/operation.ts';
import type { Reconcile } from '../runtime/controller.ts';
import type { Priority } from '../runtime/queue.ts';
import { laneKey, type Lane, type LaneKind } from './lane.ts';

/** The only key of the waker. */
export const wakeKey = 'backend/wake/all';

/** What has been notified and not yet been turned into keys. */
export interface Wake {
  readonly reconcile: Reconcile;
  /** Rows of `applicationstate` changed. */
  applications(ids: readonly string[]): void;
  /** Rows of `operation` were written, touched or ended. */
  operations(events: readonly OperationEvent[]): void;
  /** Every lane the rows know: at start, at the slow resync, and when notifications may have been missed. */
  everything(): void;
}

/** How a lane is woken. */
export interface WakeOptions {
  readonly priority: Priority;
  readonly afterMs?: number;
}

/** Where keys go. */
export interface WakeTargets {
  readonly db: Database;
  readonly lane: (kind: LaneKind, key: string, options: WakeOptions) => void;
  /** The lane of an application that a pass has met; undefined for one that has to be looked up. */
  readonly laneOfApplication: (id: string) => Lane | undefined;
  readonly deliver: () => void;
  /** Argo CD has let go of an environment: what was made on its cluster can go. */
  readonly cleanUp: () => void;
  /** There is something to look up. */
  readonly lookUp: () => void;
}

/** Argo CD most often reports within moments after an Operation has succeeded: one pass then sees both. */
const REPORT_MS = 100;

/** Creates the waker. What it could not look up is kept for its next try. */
export const createWake = ({ db, lane, laneOfApplication, deliver, cleanUp, lookUp }: WakeTargets): Wake => {
  const applications = new Set<string>();
  const syncs = new Set<string>();
  const credentials = new Set<string>();
  let everything = false;

  const application = (id: string, afterMs = 0): void => {
    const known = laneOfApplication(id);
    if (known) lane('deployment', laneKey('deployment', known), { priority: 'change', afterMs });
    else applications.add(id);
  };
  const tell = (kind: LaneKind, { namespace_uid: namespaceUid, name }: LaneRow, priority: Priority): void =>
    lane(kind, laneKey(kind, { namespaceUid, name }), { priority });

  const resolveApplications = async (): Promise<void> => {
    const rows = await takeAll(applications, (ids) => selectLanesOfApplications(db, ids));
    for (const row of rows) tell('deployment', row, 'change');
  };
  const resolveSyncs = async (): Promise<void> => {
    const rows = await takeAll(syncs, (ids) => selectSyncRunLanes(db, ids));
    for (const row of rows) tell('sync', row, 'change');
  };
  const resolveCredentials = async (): Promise<void> => {
    const rows = await takeAll(credentials, (ids) => selectCredentialLanes(db, ids));
    for (const row of rows) tell('credential', row, 'change');
  };
  const resolveEverything = async (): Promise<void> => {
    if (!everything) return;
    everything = false;
    const known = await selectAllLanes(db).catch((error: unknown) => {
      everything = true;
      throw error;
    });
    deliver();
    for (const [kind, rows] of known) for (const row of rows) tell(kind, row, 'resync');
  };

  return {
    applications(ids) {
      for (const id of ids) application(id);
      if (applications.size > 0) lookUp();
    },
    operations(events) {
      for (const { type, resourceId, state } of events) {
        if (state === 'Waiting') deliver();
        else if (type === 'Application') application(resourceId, state === 'Completed' ? REPORT_MS : 0);
        else if (type === 'SyncOperation') syncs.add(resourceId);
        else if (type === 'RepositoryCredentials') credentials.add(resourceId);
        else if (type === 'ManagedEnvironment' && isEnded(state)) cleanUp();
      }
      if (applications.size + syncs.size + credentials.size > 0) lookUp();
    },
    everything() {
      everything = true;
      lookUp();
    },
    async reconcile() {
      await resolveApplications();
      await resolveSyncs();
      await resolveCredentials();
      await resolveEverything();
    },
  };
};

/** Every lane that the rows know, by kind. */
const selectAllLanes = (db: Database): Promise<readonly (readonly [LaneKind, readonly LaneRow[]])[]> =>
  Promise.all([
    selectLanes(db).then((rows) => ['deployment', rows] as const),
    selectSyncRunLanes(db, null).then((rows) => ['sync', rows] as const),
    selectEnvironmentLanes(db).then((rows) => ['environment', rows] as const),
    selectCredentialLanes(db, null).then((rows) => ['credential', rows] as const),
  ]);

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
