// A great many deployments at once, sent by a process of their own.
import { fork, type ChildProcess } from 'node:child_process';
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

/** What it says: first that it is ready, then the UIDs of the deployments, in the order of the fleet. */
export type NeighbourMessage = 'ready' | { readonly uids: readonly string[] };

/** A flood that is ready to begin. Disposing of it ends its process. */
export interface Flood extends AsyncDisposable {
  /** Creates all of the fleet. Returns when each Application has been seen. */
  begin(): Promise<void>;
}

/** Makes a flood ready, so that starting its process is not part of it. */
export const prepareFlood = async (world: World, fleet: Fleet, atOnce: number): Promise<Flood> => {
  const child = fork(new URL('neighbour.ts', import.meta.url), { detached: true }); // a Ctrl-C is for the bench alone
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const early = ended.then(() => {
    throw new Error('the noisy neighbour ended by itself');
  });
  early.catch(() => {}); // whoever waits hears of it
  await Promise.race([nextMessage(child), early]);
  return {
    async begin() {
      const answer = nextMessage(child);
      const order: FloodOrder = { kubeconfig: world.cluster.kubeconfig, userAgent: benchAgent, fleet, atOnce };
      child.send(order);
      const made = await Promise.race([answer, early]);
      const uids = made === 'ready' ? [] : made.uids;
      fleet.forEach((member, index) => (member.uid = uids[index] ?? ''));
      await Promise.all(fleet.map((member) => world.sights.seen(pathSight(pathOf(member)))));
    },
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
};

const nextMessage = (child: ChildProcess): Promise<NeighbourMessage> =>
  new Promise((resolve) => child.once('message', (message) => resolve(message as NeighbourMessage))); // it is our own program
