// Another team as a program of its own: what it sends at once does not hold up the bench's own eyes and clock.
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import type { FloodOrder, NeighbourMessage } from './flood.ts';
import { readAccess } from './given-cluster.ts';
import { platform } from './platform.ts';
import { createSlots } from './slots.ts';
import { deploymentOf } from './user.ts';

const send = (message: NeighbourMessage): void => void process.send?.(message);

const carryOut = async ({ kubeconfig, userAgent, fleet, atOnce }: FloodOrder): Promise<void> => {
  const client = createKubeClient({ ...platform, access: readAccess(kubeconfig), metrics: createMetrics(), userAgent });
  const slots = createSlots(atOnce);
  const create = fleet.map((member) => slots(() => client.create(gitOpsDeployments, deploymentOf(member))));
  const made = await Promise.all(create);
  client.close();
  send({ uids: made.map(({ metadata }) => metadata.uid ?? '') });
};

process.once('message', (order) => void carryOut(order as FloodOrder)); // the bench is the only one who sends
send({ uids: [] });
