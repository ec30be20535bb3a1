// Which patch a request carries, and what it makes of an object.
import { isRecord } from '../../../kube/json.ts';
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

const objectPatch = (patch: unknown): Record<string, unknown> => {
  if (isRecord(patch)) return patch;
  throw badRequest('the patch is no JSON object');
};

/** The function that applies a patch of this media type. Throws 415 for a type that the kind does not take. */
export const readPatch = (kind: Kind, contentType: string, patch: unknown): ((object: ApiObject) => unknown) => {
  switch (contentType) {
    case types.json:
      return (object) => applyJsonPatch(object, patch);
    case types.merge:
      return (object) => applyMergePatch(object, objectPatch(patch));
    case types.strategic:
      if (!kind.custom) return (object) => applyStrategicPatch(object, objectPatch(patch));
      break;
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
