// The rows behind a tenant's AppProject: a statement, and a piece of others.
import type { Queryable } from '../pool.ts';
import { statement } from '../statement.ts';

/** What a tenant's project is made from; all null or empty where there is no such tenant. */
export interface ProjectTargetRow {
  readonly user_id: string | null;
  /** Name of the tenant's namespace, where known. */
  readonly namespace: string | null;
  readonly repositories: readonly string[];
  /** In the order in which the tenant got them; the original may have written one twice. */
  readonly environments: readonly string[];
}

/** SQL for these columns; the argument is the alias of a `clusteruser` that may be absent. */
export const projectColumns = (user: string): string => `
    ${user}.clusteruser_id as user_id,
    ${user}.display_name as namespace,
    coalesce((
      select jsonb_agg(r.repo_url order by r.repo_url) from appprojectrepository r
      where r.clusteruser_id = ${user}.clusteruser_id
    ), '[]') as repositories,
    coalesce((
      select jsonb_agg(e.managed_environment_id order by e.seq_id) from appprojectmanagedenvironment e
      where e.clusteruser_id = ${user}.clusteruser_id
    ), '[]') as environments`;

const projects = statement<ProjectTargetRow>(
  'agent-project-targets',
  `
select ${projectColumns('u')}
from unnest($1::text[]) with ordinality as k(id, ord)
left join clusteruser u on u.clusteruser_id = k.id
order by k.ord`,
);

/** The rows behind the projects of these tenants, in the order asked. */
export const selectProjectTargets = async (
  db: Queryable,
  userIds: readonly string[],
): Promise<readonly ProjectTargetRow[]> => (await db.query(projects, [userIds])).rows;
