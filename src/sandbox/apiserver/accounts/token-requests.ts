// TokenRequest: asking for a token of a service account, for a time and perhaps bound to a Secret.
import { rfc3339, type Clock } from '../../../lib/clock.ts';
import { asText, valueAt, type JsonObject } from '../json.ts';
import type { ApiObject } from '../kinds/kind.ts';
import { conflict, invalidObject, notFound } from '../refusal.ts';
import { invalid } from '../schema/field-error.ts';
import type { Storage } from '../storage/storage.ts';
import type { Tokens } from './tokens.ts';

/** The kind that is sent and answered. */
export const tokenRequestKind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } as const;

const DEFAULT_SECONDS = 3600;
const LEAST_SECONDS = 600;

const secondsAsked = (source: JsonObject): number => {
  const seconds = valueAt(source, 'spec', 'expirationSeconds') ?? DEFAULT_SECONDS;
  if (typeof seconds === 'number' && seconds >= LEAST_SECONDS) return seconds;
  const error = invalid('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes');
  throw invalidObject(tokenRequestKind, '', [error]);
};

/** Creates the function that answers a request. `maxSeconds` is the longest life of a token, whatever is asked for. */
export const createTokenRequests = (parts: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly tokens: Tokens;
  readonly maxSeconds: number;
}) => {
  const { storage, clock, tokens, maxSeconds } = parts;

  const boundSecret = (source: JsonObject, namespace: string): ApiObject | undefined => {
    const ref = valueAt(source, 'spec', 'boundObjectRef');
    if (asText(valueAt(ref, 'kind')) !== 'Secret') return undefined;
    const [name, uid] = [asText(valueAt(ref, 'name')), asText(valueAt(ref, 'uid'))];
    const kind = { group: '', plural: 'secrets' };
    const secret = storage.get('secrets', { namespace, name });
    if (!secret) throw notFound(kind, name);
    if (uid === '' || uid === secret.metadata.uid) return secret;
    const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict(kind, name, why);
  };

  return (at: { readonly namespace: string; readonly name: string }, source: JsonObject): JsonObject => {
    const account = storage.get('serviceaccounts', at);
    if (!account) throw notFound({ group: '', plural: 'serviceaccounts' }, at.name);
    const seconds = Math.min(secondsAsked(source), maxSeconds);
    const secret = boundSecret(source, at.namespace);
    const expiresAtMs = clock.now() + seconds * 1000;
    const token = tokens.issue({ account, expiresAtMs, ...(secret === undefined ? {} : { secret }) });
    return {
      kind: tokenRequestKind.kind,
      apiVersion: `${tokenRequestKind.group}/${tokenRequestKind.version}`,
      metadata: { name: at.name, namespace: at.namespace, creationTimestamp: rfc3339(clock.now()) },
      spec: { ...(valueAt(source, 'spec') as object | undefined), expirationSeconds: seconds }, // read as one above
      status: { token, expirationTimestamp: rfc3339(expiresAtMs) },
    };
  };
};
