// Questions about who may do what, and who somebody is.
import { isRecord } from '../../../kube/json.ts';
import { admin, type Caller, type Rights } from '../accounts/rights.ts';
import type { Tokens } from '../accounts/tokens.ts';
import { asArray, asText, valueAt, type JsonObject } from '../json.ts';

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

/** What a review is answered from. */
export interface ReviewParts {
  readonly rights: Rights;
  readonly tokens: Tokens;
}

const isAllowed = (spec: unknown, caller: Caller, rights: Rights): boolean => {
  const text = (field: string): string => asText(valueAt(spec, 'resourceAttributes', field));
  if (!valueAt(spec, 'resourceAttributes')) return caller.groups.includes('system:masters');
  const [namespace, name, part] = [text('namespace'), text('name'), text('subresource')];
  return rights.allow(caller, {
    verb: text('verb'),
    group: text('group'),
    resource: `${text('resource')}${part === '' ? '' : `/${part}`}`,
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
  });
};

const subjectOf = (spec: unknown): Caller => ({
  username: asText(valueAt(spec, 'user')),
  groups: asArray(valueAt(spec, 'groups')).map(asText),
});

const allow = (allowed: boolean): JsonObject => ({
  allowed,
  reason: allowed ? 'RBAC: allowed, or an administrator' : 'RBAC: nothing allows it',
});

const authenticated = (caller: Caller | undefined): JsonObject =>
  caller
    ? { authenticated: true, user: { ...caller } }
    : { authenticated: false, error: 'the token is not known to the sandbox' };

const statusOf = (
  kind: ReviewKind['kind'],
  spec: unknown,
  by: { readonly caller: Caller; readonly parts: ReviewParts },
): JsonObject => {
  const { caller } = by;
  const { rights, tokens } = by.parts;
  switch (kind) {
    case 'SelfSubjectAccessReview':
      return allow(isAllowed(spec, caller, rights));
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const subject = subjectOf(spec);
      return allow(subject.username === admin.username || isAllowed(spec, subject, rights));
    }
    case 'SelfSubjectRulesReview':
      return {
        resourceRules: rights.rules(caller, asText(valueAt(spec, 'namespace'))),
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      };
    case 'TokenReview':
      return authenticated(tokens.callerOf(asText(valueAt(spec, 'token'))));
    case 'SelfSubjectReview':
      return { userInfo: { ...caller } };
  }
};

/** Answers a review that somebody asks for: the same object with its status. */
export const answerReview = (
  review: ReviewKind,
  source: unknown,
  by: { readonly caller: Caller; readonly parts: ReviewParts },
): JsonObject => {
  const object = isRecord(source) ? source : {};
  return {
    ...object,
    apiVersion: `${review.group}/${review.version}`,
    kind: review.kind,
    metadata: {},
    status: statusOf(review.kind, object['spec'], by),
  };
};
