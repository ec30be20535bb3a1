// Who bears a name now, and who of those that bore it is certainly gone.
import { gitOpsDeployments, type GitOpsDeployment } from '../../api/v1alpha1/gitops-deployment.ts';
import type { DeploymentFacts, DeploymentLink, NamespaceFacts } from '../../domain/deployment-facts.ts';
import { namespaces } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { DeploymentContext } from './context.ts';
import type { DeploymentLane } from './lane.ts';

/** What caches and rows say about a lane. */
export interface Seen {
  readonly lane: DeploymentLane;
  readonly namespace: NamespaceFacts | undefined;
  readonly cached: GitOpsDeployment | undefined;
  readonly links: readonly (Pick<DeploymentLink, 'deploymentUid' | 'generation'> & { readonly namespace: string })[];
}

type Identity = Pick<DeploymentFacts, 'deployment' | 'gone' | 'live'>;

const nobody: ReadonlySet<string> = new Set();

/**
 * Who bears this name now. The cache is believed as long as it agrees with the rows. What would have rows removed, or
 * made for the first time, is read live: a cache may lag, and a namespace may have been made again.
 */
export const proveIdentity = async (context: DeploymentContext, seen: Seen): Promise<Identity> => {
  const { lane, namespace, cached, links } = seen;
  if (agree(seen)) return { deployment: cached, gone: nobody, live: false };
  const name = namespace?.name ?? links[0]?.namespace ?? '';
  const here = (await readNamespace(context, name)) === lane.namespaceUid;
  if (links.length === 0) return { deployment: here ? cached : undefined, gone: nobody, live: false };
  const deployment = here ? await readDeployment(context, { namespace: name, name: lane.name }) : undefined;
  return { deployment, gone: provenGone(context, deployment, links), live: true };
};

/** True when neither the rows nor the object ask for more than a look at the status. */
const agree = ({ cached, links }: Seen): boolean => {
  if (!cached) return links.length === 0;
  if (cached.metadata.deletionTimestamp) return links.length === 0;
  const { uid, generation = 0 } = cached.metadata;
  return links.length > 0 && links.every((link) => link.deploymentUid === uid && (link.generation ?? 0) <= generation);
};

/**
 * Of the linked UIDs, those whose object is certainly gone or being deleted. A live object of this name under another
 * UID is proof by itself, since a name is borne once; otherwise an absence counts only as `Absences` says. Who is alive
 * elsewhere in the cache is not gone.
 */
const provenGone = (
  { absences, deployments }: DeploymentContext,
  live: GitOpsDeployment | undefined,
  links: Seen['links'],
): ReadonlySet<string> => {
  if (live?.metadata.uid) absences.sawPresence(live.metadata.uid);
  const isGone = ({ deploymentUid }: { readonly deploymentUid: string }): boolean => {
    if (deploymentUid === live?.metadata.uid) return live.metadata.deletionTimestamp !== undefined;
    if (live) return true;
    return deployments.byUid(deploymentUid) === undefined && absences.isGone(deploymentUid);
  };
  return new Set(links.filter(isGone).map((link) => link.deploymentUid));
};

/** The UID of the namespace that bears this name now; undefined when there is none. */
const readNamespace = async ({ client, lost }: DeploymentContext, name: string): Promise<string | undefined> => {
  try {
    return (await client.get(namespaces, { name }, { signal: lost })).metadata.uid;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const readDeployment = async (
  { client, lost }: DeploymentContext,
  ref: { readonly namespace: string; readonly name: string },
): Promise<GitOpsDeployment | undefined> => {
  try {
    return await client.get(gitOpsDeployments, ref, { signal: lost });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};
