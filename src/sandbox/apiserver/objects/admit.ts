// From what a request carries to an object that may be kept: decoded, pruned, completed, checked.
import { isRecord } from '../../../kube/json.ts';
import { apiVersionOf } from '../../../kube/object.ts';
import { asText, type JsonObject } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { metadataErrors, readMetadata } from './metadata.ts';
import { badRequest, invalidObject } from '../refusal.ts';
import { applyDefaults, prune } from '../schema/schema-shape.ts';
import { schemaErrors } from '../schema/schema-errors.ts';

const checkType = (kind: Kind, source: JsonObject): void => {
  const [apiVersion, name] = [asText(source['apiVersion']), asText(source['kind'])];
  if (apiVersion === '' || name === '') {
    throw badRequest(`Object 'Kind' and 'apiVersion' must be set in the body, as ${apiVersionOf(kind)} ${kind.kind}`);
  }
  if (apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  if (name !== kind.kind) {
    throw badRequest(`the kind in the data (${name}) does not match the expected kind (${kind.kind})`);
  }
};

/**
 * Reads an object of the kind: metadata as far as it is known, the rest as the schema has it. Throws 400 when it is no
 * such object. `unknown` names what was left out.
 */
export const decodeObject = (kind: Kind, source: unknown): { object: ApiObject; unknown: string[] } => {
  if (!isRecord(source)) throw badRequest('the body is no JSON object');
  checkType(kind, source);
  const { metadata, unknown } = readMetadata(source['metadata']);
  const raw = { ...source, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata };
  if (!kind.schema) return { object: raw, unknown };
  const pruned = prune(kind.schema, raw);
  const object = { ...applyDefaults(kind.schema, pruned.value), apiVersion: raw.apiVersion, kind: raw.kind, metadata };
  return { object, unknown: [...unknown, ...pruned.dropped] };
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
