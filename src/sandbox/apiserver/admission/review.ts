// AdmissionReviews (admission.k8s.io/v1) as an API server asks them, and the answers as it reads them.
import { isRecord } from '../../../kube/json.ts';
import { admin } from '../accounts/rights.ts';
import { asObject, asText, asTexts, type JsonObject } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { present } from '../objects/staging.ts';
import type { Attributes } from './attributes.ts';
import type { Invocation, Phase } from './matching.ts';

const apiVersion = 'admission.k8s.io/v1';
const kind = 'AdmissionReview';

const kindOf = (of: Kind): JsonObject => ({ group: of.group, version: of.version, kind: of.kind });
const resourceOf = (of: Kind): JsonObject => ({ group: of.group, version: of.version, resource: of.plural });

/** A question about an object. */
export const reviewOf = (
  uid: string,
  { kind: seen }: Invocation,
  { attributes, object }: { readonly attributes: Attributes; readonly object: ApiObject },
): JsonObject => {
  const { operation, name, namespace, subresource, dryRun, options, existing } = attributes;
  const request = {
    uid,
    kind: kindOf(seen),
    resource: resourceOf(seen),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: kindOf(attributes.kind),
    requestResource: resourceOf(attributes.kind),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: admin,
    object: present(seen, object),
    oldObject: existing ? present(seen, existing) : null,
    dryRun,
    options,
  };
  return { kind, apiVersion, request };
};

/** What a webhook said. */
export interface Verdict {
  readonly allowed: boolean;
  /** Why not: a `Status`, as far as it was given. */
  readonly status: JsonObject;
  readonly warnings: readonly string[];
  /** JSON patch; none where nothing is to change. */
  readonly patch?: unknown;
}

/** An answer that can't be taken: the message says why, as the real server has it. */
export class BadVerdict extends Error {}

const patchProblem = (phase: Phase, { patch, patchType }: JsonObject): string | undefined => {
  const [hasPatch, hasType] = [asText(patch) !== '', patchType !== undefined && patchType !== null];
  if (phase === 'validating') {
    if (hasPatch) return 'validating webhook may not return response.patch';
    return hasType ? 'validating webhook may not return response.patchType' : undefined;
  }
  if (hasPatch && !hasType) return 'webhook returned response.patch but not response.patchType';
  if (!hasPatch && hasType) return 'webhook returned response.patchType but not response.patch';
  return patchType === '' ? 'webhook returned invalid response.patchType of ""' : undefined;
};

/** Reads an answer. @throws BadVerdict */
export const readVerdict = (answer: unknown, { uid, phase }: { uid: string; phase: Phase }): Verdict => {
  const review = asObject(answer);
  const { response } = review;
  if (!isRecord(response)) throw new BadVerdict('webhook response was absent');
  if (response['uid'] !== uid) {
    throw new BadVerdict(`expected response.uid="${uid}", got ${JSON.stringify(asText(response['uid']))}`);
  }
  if (review['apiVersion'] !== apiVersion || review['kind'] !== kind) {
    const [group = '', version = ''] = asText(review['apiVersion']).split('/', 2);
    const got = `${group}/${version}, Kind=${asText(review['kind'])}`;
    throw new BadVerdict(`expected webhook response of ${apiVersion}, Kind=${kind}, got ${got}`);
  }
  const problem = patchProblem(phase, response);
  if (problem !== undefined) throw new BadVerdict(problem);
  const patch = asText(response['patch']);
  return {
    allowed: response['allowed'] === true,
    status: asObject(response['status']),
    warnings: asTexts(response['warnings']),
    ...(patch === '' ? {} : { patch: JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) }),
  };
};
