// From what a request carries to an object that may be kept: decoded, pruned, completed, checked.
import { isRecord } from '../../../kube/json.ts';
import { apiVersionOf } from '../../../kube/object.ts';
import { asText, type JsonObject } from '../json.ts';
import { readAsStruct } from '../kinds/go-structs.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { readMetadata } from './metadata.ts';
import { metadataErrors } from './metadata-errors.ts';
import { badRequest, invalidObject } from '../refusal.ts';
import { applyDefaults, prune } from '../schema/schema-shape.ts';
import { schemaErrors } from '../schema/schema-errors.ts';
import { invalid } from '../schema/field-error.ts';

/** Makes the refusal of an object that can't be decoded, from what the decoder says. */
export type RefuseObject = (why: string) => Error;

const checkType = (kind: Kind, source: JsonObject, refuse: RefuseObject): void => {
  const [apiVersion, name] = [asText(source['apiVersion']), asText(source['kind'])];
  if (kind.custom && apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  if (kind.custom && name !== kind.kind) {
    throw invalidObject({ group: kind.group, kind: name }, asText(readMetadata(source['metadata']).name), [
      invalid('kind', name, `must be ${kind.kind}`),
    ]);
  }
  if (name !== kind.kind)
    throw refuse(`converting (${kind.version}.${name}) to (core.${kind.kind}): unknown conversion`);
  if (apiVersion !== apiVersionOf(kind))
    throw refuse(`no kind ${JSON.stringify(name)} is registered for version ${JSON.stringify(apiVersion)}`);
};

/** The object as the decoder of its kind has it, with the paths of the fields that it does not know. */
const readFields = (kind: Kind, source: JsonObject, refuse: RefuseObject): { object: ApiObject; unknown: string[] } => {
  const { problem, unknown, value } =
    kind.struct === undefined
      ? readAsStruct('ObjectMeta', source['metadata'], 'metadata')
      : readAsStruct(kind.struct, source);
  if (problem !== undefined) throw refuse(problem);
  const fields = kind.struct === undefined ? source : value;
  const metadata = readMetadata(source['metadata']);
  return { object: { ...fields, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata }, unknown: [...unknown] };
};

/**
 * Reads an object of the kind: metadata as far as it is known, the rest as the schema has it. Throws 400, or what
 * `refuse` makes, when it is no such object. `unknown` names what was left out.
 */
export const decodeObject = (
  kind: Kind,
  source: unknown,
  refuse: RefuseObject,
): { object: ApiObject; unknown: string[] } => {
  if (!isRecord(source)) throw refuse('the body is no JSON object');
  checkType(kind, source, refuse);
  const { object, unknown } = readFields(kind, source, refuse);
  if (!kind.schema) return { object, unknown };
  const pruned = prune(kind.schema, object);
  const completed = applyDefaults(kind.schema, pruned.value);
  return {
    object: { ...completed, apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata },
    unknown: [...unknown, ...pruned.dropped.toSorted()],
  };
};

/** Refuses an object that breaks a rule of its kind or of every kind: 422 with everything that was found. */
export const refuseInvalid = (kind: Kind, object: ApiObject, existing?: ApiObject): void => {
  const errors = [
    ...metadataErrors(object, kind.nameRule, existing),
    ...(kind.schema ? schemaErrors(kind.schema, object) : []),
    ...(kind.strategy.validate?.(object, existing) ?? []),
  ];
  if (errors.length > 0) throw invalidObject(kind, object.metadata.name, errors);
};
