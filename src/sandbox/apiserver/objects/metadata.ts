// `metadata`: read from a request, and carried over from one state of an object to the next.
import type { ObjectMeta, OwnerReference } from '../../../kube/object.ts';
import type { Random } from '../../../lib/random.ts';
import { asArray, asObject, asText, asTexts } from '../json.ts';

const textsIn = (value: unknown): Record<string, string> | undefined => {
  const entries = Object.entries(asObject(value)).map(([key, item]): [string, string] => [key, asText(item)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
};

const readOwner = (value: unknown): OwnerReference => {
  const owner = asObject(value);
  const flag = (field: string): object => (typeof owner[field] === 'boolean' ? { [field]: owner[field] } : {});
  return {
    apiVersion: asText(owner['apiVersion']),
    kind: asText(owner['kind']),
    name: asText(owner['name']),
    uid: asText(owner['uid']),
    ...flag('controller'),
    ...flag('blockOwnerDeletion'),
  };
};

const optional = <K extends string, V>(field: K, value: V | undefined): { [P in K]?: V } =>
  (value === undefined ? {} : { [field]: value }) as { [P in K]?: V }; // a computed key loses its literal type

/**
 * Reads the `metadata` of an object as far as it is kept: who set which field (`managedFields`) is not. The types of the
 * fields have been looked at before.
 */
export const readMetadata = (value: unknown): ObjectMeta => {
  const source = asObject(value);
  const text = (field: string): string | undefined => asText(source[field]) || undefined;
  const owners = asArray(source['ownerReferences']).map(readOwner);
  const finalizers = asTexts(source['finalizers']);
  return {
    name: text('name') ?? '',
    ...optional('generateName', text('generateName')),
    ...optional('namespace', text('namespace')),
    ...optional('uid', text('uid')),
    ...optional('resourceVersion', text('resourceVersion')),
    ...optional('labels', textsIn(source['labels'])),
    ...optional('annotations', textsIn(source['annotations'])),
    ...optional('finalizers', finalizers.length === 0 ? undefined : finalizers),
    ...optional('ownerReferences', owners.length === 0 ? undefined : owners),
  };
};

/** The fields only the server sets, taken over from the state before. */
export const carriedOver = (existing: ObjectMeta): Partial<ObjectMeta> => ({
  ...optional('generateName', existing.generateName),
  ...optional('namespace', existing.namespace),
  ...optional('uid', existing.uid),
  ...optional('resourceVersion', existing.resourceVersion),
  ...optional('generation', existing.generation),
  ...optional('creationTimestamp', existing.creationTimestamp),
  ...optional('deletionTimestamp', existing.deletionTimestamp),
  ...optional('deletionGracePeriodSeconds', existing.deletionGracePeriodSeconds),
});

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A name that begins with `base`: five characters that spell nothing are added. */
export const generatedName = (base: string, random: Random): string => {
  const letters = Array.from({ length: 5 }, () => alphabet.charAt(Math.floor(random.next() * alphabet.length)));
  return base.slice(0, 58) + letters.join('');
};
