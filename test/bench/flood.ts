// A great many deployments at once, sent by a process of their own.
import { startChild } from './child.ts';
import { pathSight } from './eyes.ts';
import { pathOf, type Fleet } from './user.ts';
import { benchAgent, type World } from './world.ts';

/** What the program `neighbour.ts` is told, once. */
export interface FloodOrder {
  /** The file that says where the cluster is. */
  readonly kubeconfig: string;
  readonly userAgent: string;
  readonly fleet: Fleet;
  /** Requests under way at the same time. */
  readonly atOnce: number;
}

/** What it says: when it is ready, with none; then with the UIDs of the deployments, in the order of the fleet. */
export interface NeighbourMessage {
  readonly uids: readonly string[];
}

/** A flood that is ready to begin. Disposing of it ends its process. */
export interface Flood extends AsyncDisposable {
  /** Creates all of the fleet. Returns when each Application has been seen. */
  begin(): Promise<void>;
}

/** Makes a flood ready, so that starting its process is not part of it. */
export const prepareFlood = async (world: World, fleet: Fleet, atOnce: number): Promise<Flood> => {
  const child = startChild<NeighbourMessage>({
    program: new URL('neighbour.ts', import.meta.url),
    early: 'the noisy neighbour ended by itself',
  });
  await child.next();
  return {
    async begin() {
      const order: FloodOrder = { kubeconfig: world.cluster.kubeconfig, userAgent: benchAgent, fleet, atOnce };
      const { uids } = await child.next(order);
      fleet.forEach((member, index) => (member.uid = uids[index] ?? ''));
      await Promise.all(fleet.map((member) => world.sights.seen(pathSight(pathOf(member)))));
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
};
