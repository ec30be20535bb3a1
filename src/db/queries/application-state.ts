// The reported status of applications.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';
import { engineRows, type AgentEngine } from './agent-engine.ts';

const report = statement(
  'application-state-report',
  `
with reported as (
  select k.application_id, k.status, k.content_hash
  from unnest($1::text[], $2::bytea[], $3::text[]) as k(application_id, status, content_hash)
  join application a on a.application_id = k.application_id
  left join applicationstate s on s.applicationstate_application_id = k.application_id
  where s.content_hash is distinct from k.content_hash
  for key share of a -- or it could be removed before the insert, and the whole batch with it be refused
)
insert into applicationstate (applicationstate_application_id, argocd_application_status, content_hash)
select application_id, status, content_hash from reported
on conflict (applicationstate_application_id) do update
  set argocd_application_status = excluded.argocd_application_status, content_hash = excluded.content_hash`,
);

/** What is stored of one application's status. */
export interface ApplicationReport {
  readonly applicationId: string;
  readonly bytes: Buffer;
  readonly hash: string;
}

/** Stores statuses whose hash differs from the stored one. Applications without a row are left out. */
export const reportApplications = async (db: Queryable, reports: readonly ApplicationReport[]): Promise<void> => {
  await db.query(report, [
    reports.map((one) => one.applicationId),
    reports.map((one) => one.bytes),
    reports.map((one) => one.hash),
  ]);
};

const refreshes = statement<{ application_id: string; name: string | null; due_at: string; requested_at: string }>(
  'refresh-due',
  `
select r.application_id, a.name, r.due_at, r.requested_at
from refresh_request r
left join application a on a.application_id = r.application_id
where a.application_id is null or a.engine_instance_inst_id in ${engineRows('$1', '$2')}
order by r.due_at limit $3`,
);

/** A wish that Argo CD look at an application again; `name` is null when the application's row is gone. */
export interface RefreshRow {
  readonly application_id: string;
  readonly name: string | null;
  readonly due_at: string;
  readonly requested_at: string;
}

/** The wishes for applications of an engine, and for those that are gone, the first due first. */
export const selectRefreshes = async (
  db: Queryable,
  engine: AgentEngine,
  limit: number,
): Promise<readonly RefreshRow[]> => (await db.query(refreshes, [engine.namespace, engine.clusterUid, limit])).rows;

const fulfilled = statement(
  'refresh-fulfilled',
  `
delete from refresh_request r using unnest($1::text[], $2::timestamp[]) as k(application_id, requested_at)
where r.application_id = k.application_id and r.requested_at = k.requested_at`,
);

/** Removes wishes that were carried out; one that was made anew meanwhile stays. */
export const removeRefreshes = async (db: Queryable, done: readonly RefreshRow[]): Promise<void> => {
  await db.query(fulfilled, [done.map((one) => one.application_id), done.map((one) => one.requested_at)]);
};

const request = statement(
  'refresh-request',
  `
insert into refresh_request (application_id, cause, delivery_id, due_at, requested_at)
select wanted.id, $2, $3, $4, $5 from unnest($1::text[]) as wanted(id) order by wanted.id
on conflict (application_id) do update
  set cause = excluded.cause, delivery_id = excluded.delivery_id, requested_at = excluded.requested_at,
    due_at = least(refresh_request.due_at, excluded.due_at)`,
);

/** Asks for a refresh of each of these applications, or brings forward the one that is asked for. */
export const requestRefreshes = async (
  db: Queryable,
  wish: {
    /** Each once. */
    readonly applicationIds: readonly string[];
    readonly cause: string;
    readonly deliveryId: string | null;
    readonly dueAt: string;
    readonly now: string;
  },
): Promise<void> => {
  await db.query(request, [wish.applicationIds, wish.cause, wish.deliveryId, wish.dueAt, wish.now]);
};
