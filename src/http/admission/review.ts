// An AdmissionReview (admission.k8s.io/v1) and what is answered to it; how they travel is none of its business.
import type { CustomKind } from '../../api/custom-kind.ts';
import type { ApiObject } from '../../api/metadata.ts';
import { problemsOf } from '../../api/problems.ts';
import type { Admit } from '../../domain/admission.ts';
import { isRecord } from '../../kube/json.ts';
import { isEqualJson } from '../../kube/patch.ts';

/** Why a request is not answered with a review: one sentence, without anything of what was sent. */
export interface Malformed {
  readonly malformed: string;
}

/** The question in a review. */
export interface ReviewRequest {
  readonly uid: string;
  readonly operation: unknown;
  readonly object: unknown;
  readonly oldObject: unknown;
}

/** What a path says to a question: a denial's text, undefined where it lets the object through. */
export type Judge = (request: ReviewRequest) => { readonly denial: string | undefined } | Malformed;

const apiVersion = 'admission.k8s.io/v1';
const kind = 'AdmissionReview';

/** Reads the question of a review. */
export const readReview = (body: string): ReviewRequest | Malformed => {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    return { malformed: 'the body is no JSON' };
  }
  if (!isRecord(review) || review['apiVersion'] !== apiVersion || review['kind'] !== kind) {
    return { malformed: `the body is no ${kind} of ${apiVersion}` };
  }
  const { request } = review;
  if (!isRecord(request) || typeof request['uid'] !== 'string' || request['uid'] === '') {
    return { malformed: 'the review has no request with a uid' };
  }
  const { uid, operation, object, oldObject } = request;
  return { uid, operation, object, oldObject };
};

/** The review that goes back. The API server puts the webhook's name before the text of a denial. */
export const writeReview = (uid: string, denial: string | undefined): string => {
  const verdict =
    denial === undefined
      ? { allowed: true }
      : { allowed: false, status: { code: 403, reason: 'Forbidden', message: denial } };
  return JSON.stringify({ apiVersion, kind, response: { uid, ...verdict } });
};

/** Lets everything through as it is. */
export const letThrough: Judge = () => ({ denial: undefined });

/**
 * Asks the rules of a kind on create and on update. An update that leaves the spec alone, or is of an object that goes, is
 * let through: else an object from before the rules could never lose its finalizer.
 */
export const judgeOf =
  <T extends ApiObject>({ schema }: CustomKind, admit: Admit<T>): Judge =>
  ({ operation, object, oldObject }) => {
    if (operation !== 'CREATE' && operation !== 'UPDATE') return { denial: undefined };
    if (!isRecord(object) || !isRecord(object['metadata'])) return { malformed: 'the request has no object' };
    const spec = object['spec'];
    const before = isRecord(oldObject) ? { spec: oldObject['spec'] } : undefined;
    if (operation === 'UPDATE' && (object['metadata']['deletionTimestamp'] || isEqualJson({ spec }, before))) {
      return { denial: undefined };
    }
    const [problem] = problemsOf(schema, { spec });
    if (problem) return { malformed: `the object does not fit its schema at ${problem.path}` };
    return { denial: admit(object as unknown as T, operation)?.message }; // its spec fits, and rules read nothing else but the name
  };
