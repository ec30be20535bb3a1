// Questions about who may do what. There is one user, the administrator, who may do everything.
import { isRecord } from '../../../kube/json.ts';
import { asText, valueAt, type JsonObject } from '../json.ts';

const authorization = { group: 'authorization.k8s.io', version: 'v1' } as const;
const authentication = { group: 'authentication.k8s.io', version: 'v1' } as const;

/** The kinds that are only ever created, to be answered at once. */
export const reviewKinds = [
  { ...authorization, plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview', namespaced: false },
  { ...authorization, plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview', namespaced: false },
  { ...authorization, plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false },
  { ...authorization, plural: 'localsubjectaccessreviews', kind: 'LocalSubjectAccessReview', namespaced: true },
  { ...authentication, plural: 'tokenreviews', kind: 'TokenReview', namespaced: false },
  { ...authentication, plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false },
] as const;

/** A kind of review. */
export type ReviewKind = (typeof reviewKinds)[number];

const username = 'sandbox-admin';
const admin = { username, groups: ['system:masters', 'system:authenticated'] };

const isAdmin = (spec: unknown): boolean => {
  const groups = valueAt(spec, 'groups');
  return asText(valueAt(spec, 'user')) === username || (Array.isArray(groups) && groups.includes('system:masters'));
};

const allow = (allowed: boolean): JsonObject => ({
  allowed,
  reason: allowed
    ? 'the administrator of the sandbox may do everything'
    : 'the sandbox knows no user but its administrator',
});

const statusOf = (kind: ReviewKind['kind'], spec: unknown, token: string): JsonObject => {
  switch (kind) {
    case 'SelfSubjectAccessReview':
      return allow(true);
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return allow(isAdmin(spec));
    case 'SelfSubjectRulesReview':
      return {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      };
    case 'TokenReview':
      return valueAt(spec, 'token') === token
        ? { authenticated: true, user: admin }
        : { authenticated: false, error: 'the token is not known to the sandbox' };
    case 'SelfSubjectReview':
      return { userInfo: admin };
  }
};

/** Answers a review: the same object with its status. */
export const answerReview = (review: ReviewKind, source: unknown, token: string): JsonObject => {
  const object = isRecord(source) ? source : {};
  return {
    ...object,
    apiVersion: `${review.group}/${review.version}`,
    kind: review.kind,
    metadata: {},
    status: statusOf(review.kind, object['spec'], token),
  };
};
