// Tokens of service accounts: who is meant by one, for as long as the account, the Secret it is bound to, and its time last.
import type { ObjectRef } from '../../../kube/object.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Storage } from '../storage/storage.ts';
import { admin, type Caller } from './rights.ts';

/** What a token is made for. */
export interface TokenGrant {
  readonly account: ApiObject;
  /** The Secret that the token ends with. */
  readonly secret?: ApiObject;
  /** Milliseconds since the epoch; without it the token has no end of its own. */
  readonly expiresAtMs?: number;
  /** True for the kind of token that a Secret holds, whose claims have other names. */
  readonly isLegacy?: boolean;
}

/** Issues tokens, and knows them again. Nothing is kept when the server ends. */
export interface Tokens {
  issue(grant: TokenGrant): string;
  /** Whose token it is; undefined for one that is not known, or not good any more. */
  callerOf(token: string): Caller | undefined;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const usernameOf = ({ metadata }: ApiObject): string =>
  `system:serviceaccount:${metadata.namespace ?? ''}:${metadata.name}`;

/** The claims of a real token, as far as clients look at them (RFC 7519). */
const claimsOf = ({ account, secret, expiresAtMs, isLegacy }: TokenGrant, nowMs: number): object => {
  const { namespace, name, uid } = account.metadata;
  if (isLegacy) {
    return {
      iss: 'kubernetes/serviceaccount',
      sub: usernameOf(account),
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret?.metadata.name,
      'kubernetes.io/serviceaccount/service-account.name': name,
      'kubernetes.io/serviceaccount/service-account.uid': uid,
    };
  }
  return {
    iss: 'https://kubernetes.default.svc.cluster.local',
    sub: usernameOf(account),
    iat: Math.floor(nowMs / 1000),
    ...(expiresAtMs === undefined ? {} : { exp: Math.floor(expiresAtMs / 1000) }),
    'kubernetes.io': {
      namespace,
      serviceaccount: { name, uid },
      ...(secret === undefined ? {} : { secret: { name: secret.metadata.name, uid: secret.metadata.uid } }),
    },
  };
};

/** Creates the tokens of a server. `adminToken` is the administrator's. */
export const createTokens = (parts: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: Random;
  readonly adminToken: string;
}): Tokens => {
  const { storage, clock, random, adminToken } = parts;
  const grants = new Map<string, TokenGrant>();

  const isThere = (resource: string, { metadata }: ApiObject): boolean => {
    const ref: ObjectRef = metadata;
    return storage.get(resource, ref)?.metadata.uid === metadata.uid;
  };

  return {
    issue(grant) {
      // Nobody checks the signature: a token is known again as a whole.
      const token = `${encoded({ alg: 'none' })}.${encoded(claimsOf(grant, clock.now()))}.${random.uuid()}`;
      grants.set(token, grant);
      return token;
    },
    callerOf(token) {
      if (token === adminToken) return admin;
      const grant = grants.get(token);
      if (!grant || (grant.expiresAtMs ?? Infinity) <= clock.now()) return undefined;
      if (!isThere('serviceaccounts', grant.account)) return undefined;
      if (grant.secret && !isThere('secrets', grant.secret)) return undefined;
      const { namespace = '', uid = '' } = grant.account.metadata;
      const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
      return { username: usernameOf(grant.account), groups, uid };
    },
  };
};
