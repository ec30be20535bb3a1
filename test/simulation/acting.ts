// Who acts in a schedule, and how.
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeObject, ResourceType } from '../../src/kube/object.ts';
import type { Random } from '../../src/lib/random.ts';
import type { Recorder } from './recorder.ts';

/** What users act on. */
export interface UserOptions {
  readonly client: KubeClient;
  readonly engineNamespace: string;
  readonly random: Random;
  readonly recorder: Recorder;
}

/** Who acts. */
export interface Acting extends UserOptions {
  /** One of them, chosen by the seed; undefined where there is none. */
  readonly oneOf: <T>(values: readonly T[]) => T | undefined;
}

/** Something that a user may do. */
export interface Action {
  readonly name: string;
  /** How often, compared with the others. */
  readonly weight: number;
  readonly run: (acting: Acting) => Promise<string>;
}

/** An object of a kind that is there, chosen by the seed. */
export const pickOne = async <T extends KubeObject>(
  { client, oneOf }: Acting,
  resource: ResourceType<T>,
  selection: { readonly namespace?: string } = {},
): Promise<T | undefined> => oneOf((await client.list(resource, selection)).items);
