// How an oracle says what is wrong.
import { isRecord } from '../../src/kube/json.ts';
import type { KubeObject } from '../../src/kube/object.ts';
import { isEqualJson } from '../../src/kube/patch.ts';

/** Something that has to hold, and what is said when it does not. */
export type Check = readonly [isRight: boolean, text: string];

/** The text, unless it holds. */
export const hold = (isRight: boolean, text: string): readonly string[] => (isRight ? [] : [text]);

/** Holds where the two are equal as JSON; one sentence for each member that is not. */
export const difference = (what: string, wanted: unknown, found: unknown): readonly Check[] => {
  if (isEqualJson(wanted, found)) return [];
  if (!isRecord(wanted) || !isRecord(found)) {
    return [[false, `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`]];
  }
  const names = new Set([...Object.keys(wanted), ...Object.keys(found)]);
  return [...names].flatMap((name) => difference(`${what}.${name}`, wanted[name], found[name]));
};

/** What tells of the state of an object. */
interface Told {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration?: number | undefined;
}

/** Holds where the object is Ready, in the generation that it has. */
export const readyAs = ({
  metadata,
  status,
}: KubeObject & {
  readonly status?: { readonly conditions?: readonly Told[] | undefined } | undefined;
}): readonly Check[] => {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return [
    [ready?.status === 'True', `Ready is ${ready?.status}: ${ready?.reason}, ${ready?.message}`],
    ...difference('its generation in the status', metadata.generation, ready?.observedGeneration),
  ];
};
