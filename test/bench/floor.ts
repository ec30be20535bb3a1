// The least that a change can take on these servers: three API writes in a row and two SQL commits.
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createSlots } from './slots.ts';
import type { World } from './world.ts';

/** Measures what the servers alone take. Nothing of the service looks at what is written for it. */
export interface Floor {
  /** One floor, in milliseconds. */
  measure(): Promise<number>;
  /** API writes a second with 32 under way. */
  writesPerSecond(): Promise<number>;
}

const WRITES = 600;

/** Creates the floor of a world, in a namespace of its own. */
export const createFloor = async (world: World): Promise<Floor> => {
  const client = world.connect();
  const namespace = `bench-${world.word}-floor`;
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  let count = 0;
  /** Operations have no bearing outside of Argo CD's namespace, and the size of what the service writes. */
  const write = async (): Promise<string> => {
    count += 1;
    const name = `floor-${count}`;
    await client.create(operations, {
      apiVersion: 'managed-gitops.redhat.com/v1alpha1',
      kind: 'Operation',
      metadata: { namespace, name },
      spec: { operationID: name },
    });
    return name;
  };
  const forget = async (names: readonly string[]): Promise<void> => {
    for (const name of names) await client.delete(operations, { namespace, name });
  };
  return {
    async measure() {
      const startMs = systemClock.monotonicMs();
      const names = [await write()];
      await world.postgresql.commitTwice();
      names.push(await write(), await write());
      const ms = systemClock.monotonicMs() - startMs;
      await forget(names);
      return ms;
    },
    async writesPerSecond() {
      const slots = createSlots();
      const startMs = systemClock.monotonicMs();
      const names = await Promise.all(Array.from({ length: WRITES }, () => slots(write)));
      const seconds = (systemClock.monotonicMs() - startMs) / 1000;
      await Promise.all(names.map((name) => slots(() => forget([name]))));
      return WRITES / seconds;
    },
  };
};
