// Lists: selection, pages that agree with each other, and the version a list speaks of.
import { isRecord } from '../../../kube/json.ts';
import { invalid } from '../schema/field-error.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import { present } from './objects.ts';
import { badRequest, expired, invalidObject, tooNew } from '../refusal.ts';
import { parseFieldSelector, parseLabelSelector, type Selector } from './selectors.ts';
import type { Storage } from '../storage/storage.ts';

/** What a list or watch is about. */
export interface Scope {
  readonly kind: Kind;
  readonly namespace?: string;
  readonly selects: Selector;
}

/** A page of a list; `next` is the token of the page that follows. */
export interface Page {
  readonly revision: number;
  readonly items: readonly ApiObject[];
  readonly next?: string;
  readonly remaining?: number;
}

/** Reads which objects a request selects. */
export const readScope = (kind: Kind, query: URLSearchParams, namespace?: string): Scope => {
  const byLabel = parseLabelSelector(query.get('labelSelector') ?? '');
  const byField = parseFieldSelector(query.get('fieldSelector') ?? '', kind);
  const selects: Selector = (object) => byLabel(object) && byField(object);
  return { kind, selects, ...(namespace === undefined ? {} : { namespace }) };
};

/** Reads a resourceVersion: a whole number, or undefined when there is none. Throws on anything else. */
export const readRevision = (query: URLSearchParams): number | undefined => {
  const text = query.get('resourceVersion') ?? '';
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw badRequest(`invalid resource version ${JSON.stringify(text)}: it is given out by the server and opaque`);
};

interface Token {
  readonly revision: number;
  readonly after: string;
}

const encodeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

const decodeToken = (text: string): Token => {
  const refused = (): Error => badRequest('continue key is not valid');
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!isRecord(parsed)) throw refused();
    const { revision, after } = parsed;
    if (typeof revision !== 'number' || typeof after !== 'string') throw refused();
    return { revision, after };
  } catch {
    throw refused();
  }
};

const keyOf = (object: ApiObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

const inNamespace = (objects: readonly ApiObject[], namespace?: string): readonly ApiObject[] =>
  namespace === undefined ? objects : objects.filter((object) => object.metadata.namespace === namespace);

const objectsAt = (storage: Storage, scope: Scope, revision: number): readonly ApiObject[] => {
  if (revision === storage.revision) return storage.list(resourceName(scope.kind), scope.namespace);
  if (revision > storage.revision) throw tooNew(revision, storage.revision);
  const objects = storage.shelf(resourceName(scope.kind)).listAt(revision);
  if (!objects) {
    throw expired(
      `The resourceVersion for the provided list is too old: ${revision} is no longer in the history. Start a new list without the continue parameter.`,
    );
  }
  return inNamespace(objects, scope.namespace);
};

const startOf = (storage: Storage, query: URLSearchParams): Token => {
  const match = query.get('resourceVersionMatch');
  const asked = readRevision(query);
  const token = query.get('continue');
  if (token) {
    if (match !== null) throw badRequest('resourceVersionMatch is forbidden for continue');
    return decodeToken(token);
  }
  if (match !== null && match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      invalid('resourceVersionMatch', match, 'must be Exact or NotOlderThan'),
    ]);
  }
  if (match !== null && asked === undefined)
    throw badRequest('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (asked !== undefined && asked > storage.revision) throw tooNew(asked, storage.revision);
  return { revision: match === 'Exact' && asked ? asked : storage.revision, after: '' };
};

/** One page of the objects in scope, as `limit`, `continue`, `resourceVersion` and `resourceVersionMatch` ask. */
export const listPage = (storage: Storage, scope: Scope, query: URLSearchParams): Page => {
  const { revision, after } = startOf(storage, query);
  const all = objectsAt(storage, scope, revision);
  const rest = after === '' ? all : all.filter((object) => keyOf(object) > after);
  const selected = rest.filter(scope.selects).map((object) => present(scope.kind, object));
  const limit = Number(query.get('limit') ?? 0);
  if (!(limit > 0) || selected.length <= limit) return { revision, items: selected };
  const items = selected.slice(0, limit);
  const last = items.at(-1);
  const next = encodeToken({ revision, after: last ? keyOf(last) : '' });
  const selective = query.get('labelSelector') || query.get('fieldSelector');
  return { revision, items, next, ...(selective ? {} : { remaining: selected.length - limit }) };
};
