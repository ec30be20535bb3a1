// What is left behind when every deployment of a world has been deleted: it should be nothing.
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { World } from './world.ts';

/** Counts deployments, Applications, AppProjects, Operations and rows that are still there. */
export const countLeft = async (world: World): Promise<number> => {
  const { argocdNamespace: namespace, word } = world;
  const client = world.connect();
  const lists = await Promise.all([client.list(appProjects, { namespace }), client.list(operations, { namespace })]);
  const mine = world.deployments.list().filter(({ metadata }) => metadata.namespace?.startsWith(`bench-${word}-`));
  return (
    mine.length +
    world.applications.size +
    lists.reduce((sum, { items }) => sum + items.length, 0) +
    (await world.database.rowsOfDeployments())
  );
};
