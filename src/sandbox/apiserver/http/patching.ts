// Which patch a request carries, and what it makes of an object.
import { isRecord } from '../../../kube/json.ts';
import { messageOf } from '../../../lib/fault.ts';
import type { ApiRequest } from './exchange.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { applyJsonPatch } from '../patch/patch-json.ts';
import { applyMergePatch } from '../patch/patch-merge.ts';
import { applyStrategicPatch } from '../patch/patch-strategic.ts';
import { badRequest, unsupportedMediaType } from '../refusal.ts';

const types = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

const parsePatch = ({ body }: ApiRequest): unknown => {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${messageOf(error)}`);
  }
};

const objectPatch = (request: ApiRequest): Record<string, unknown> => {
  const patch = parsePatch(request);
  if (isRecord(patch)) return patch;
  throw badRequest('error decoding patch: json: cannot unmarshal it into Go value of type map[string]interface {}');
};

/** The function that applies a request's patch. Throws 415 for a type that the kind does not take. */
export const readPatch = (kind: Kind, request: ApiRequest): ((object: ApiObject) => unknown) => {
  switch (request.contentType) {
    case types.json: {
      const patch = parsePatch(request);
      return (object) => applyJsonPatch(object, patch);
    }
    case types.merge: {
      const patch = objectPatch(request);
      return (object) => applyMergePatch(object, patch);
    }
    case types.strategic: {
      if (kind.custom) break;
      const patch = objectPatch(request);
      return (object) => applyStrategicPatch(object, patch);
    }
    case types.apply:
      throw unsupportedMediaType(
        'server-side apply is not served by the sandbox API server: use kubectl apply without --server-side, or a merge patch',
      );
  }
  const accepted = [types.json, types.merge, ...(kind.custom ? [] : [types.strategic])];
  throw unsupportedMediaType(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
};
