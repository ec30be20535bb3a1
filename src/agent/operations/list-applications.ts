// Every Application of Argo CD's namespace, read live: the proof that none uses something.
import { applications, type Application } from '../../api/argocd/application.ts';
import { listAll } from '../../runtime/list-all.ts';
import type { HandlerContext } from '../context.ts';

/** All of them as they are now, deleting ones included; one listing without gaps, or an error. */
export const listApplications = async ({ client, engine, signal }: HandlerContext): Promise<readonly Application[]> => {
  const selection = { namespace: engine.namespace };
  return (await listAll({ client, resource: applications, selection, signal })).objects;
};
