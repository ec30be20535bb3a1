// A tenant's AppProject for its own sake: where a credential or an environment has changed, or somebody changed it.
import { selectProjectTargets, type ProjectTargetRow } from '../../db/queries/agent-project.ts';
import { statementBatch } from '../../db/statement-batch.ts';
import { isUnused, type ProjectRows } from '../../domain/app-project.ts';
import { createBatch } from '../../lib/batch.ts';
import type { AgentContext, HandlerContext, SharedWork } from '../context.ts';
import { growProject, isGrown, presentProject, projectRowsOf, trimProject } from './project.ts';

/** What is done about projects, by the id of the tenant's row. A project without such a row is left alone. */
export interface ProjectWork {
  /** Takes from the project what no row asks for and no Application uses, or removes it. */
  trim(userId: string, signal: AbortSignal): Promise<void>;
  /** Makes it as the rows say. */
  repair(userId: string, signal: AbortSignal): Promise<void>;
}

/** Creates the work on projects. */
export const createProjectWork = (agent: AgentContext, shared: SharedWork): ProjectWork => {
  const load = createBatch<string, ProjectTargetRow>({
    ...statementBatch,
    run: (userIds) => selectProjectTargets(agent.db, userIds),
  });
  const read = async (userId: string): Promise<ProjectRows | undefined> => projectRowsOf(await load(userId));
  const trim: ProjectWork['trim'] = async (userId, signal) => {
    const pass: HandlerContext = { ...agent, ...shared, signal };
    const rows = await read(userId);
    if (!rows) return;
    await trimProject(pass, { rows, present: await presentProject(pass, rows), reread: () => read(userId) });
  };
  const grow = (pass: HandlerContext, userId: string): Promise<void> =>
    pass.inTurn(userId, async () => {
      const rows = await read(userId);
      if (rows && !isUnused(rows)) await growProject(pass, await presentProject(pass, rows), rows);
    });
  return {
    trim,
    async repair(userId, signal) {
      const pass: HandlerContext = { ...agent, ...shared, signal };
      const rows = await read(userId);
      if (!rows) return;
      const present = await presentProject(pass, rows);
      if (!isUnused(rows)) return isGrown(pass, present, rows) ? undefined : grow(pass, userId);
      if (present) await trim(userId, signal);
    },
  };
};
