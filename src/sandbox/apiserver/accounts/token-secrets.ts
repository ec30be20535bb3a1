// Secrets that hold a token of a service account: filled in soon after they are made, gone with the account.
import type { DeleteObject } from '../objects/deletion.ts';
import type { Objects } from '../objects/objects.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Registry } from '../kinds/registry.ts';
import type { Change } from '../storage/shelf.ts';
import type { Storage } from '../storage/storage.ts';
import { asObject } from '../json.ts';
import type { Tokens } from './tokens.ts';

/** The type of such Secrets. */
const tokenSecretType = 'kubernetes.io/service-account-token';
/** Annotation on them: the name of the account. */
const accountAnnotation = 'kubernetes.io/service-account.name';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Creates the reaction that plays the controller of these Secrets. */
export const createTokenSecrets = (parts: {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly objects: Objects;
  readonly deleteObject: DeleteObject;
  readonly tokens: Tokens;
}): ((change: Change) => void) => {
  const { storage, registry, objects, deleteObject, tokens } = parts;

  const fill = (secret: ApiObject): void => {
    const kind = registry.byResource('secrets');
    const present = storage.get('secrets', secret.metadata);
    const { namespace = '', annotations = {} } = secret.metadata;
    const account = storage.get('serviceaccounts', { namespace, name: annotations[accountAnnotation] ?? '' });
    if (!kind || !account || present?.metadata.uid !== secret.metadata.uid || asObject(present?.['data'])['token'])
      return;
    const token = tokens.issue({ account, secret, isLegacy: true });
    objects.update(kind, secret.metadata, {
      change: (existing) => ({
        ...existing,
        data: { ...asObject(existing['data']), namespace: base64(namespace), token: base64(token) },
      }),
    });
  };

  const removeOf = ({ metadata: { namespace, name } }: ApiObject): void => {
    const kind = registry.byResource('secrets');
    if (!kind) return;
    for (const { type, metadata } of storage.list('secrets', namespace)) {
      if (type !== tokenSecretType || metadata.annotations?.[accountAnnotation] !== name) continue;
      deleteObject(kind, metadata, { dryRun: false, propagation: 'Background' });
    }
  };

  return ({ resource, type, object }) => {
    if (resource === 'secrets' && type !== 'DELETED' && object['type'] === tokenSecretType) fill(object);
    if (resource === 'serviceaccounts' && type === 'DELETED') removeOf(object);
  };
};
