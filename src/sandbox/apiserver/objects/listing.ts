// Lists: selection, pages that agree with each other, and the version a list speaks of.
import { messageOf } from '../../../lib/fault.ts';
import { asObject } from '../json.ts';
import { forbidden, invalid } from '../schema/field-error.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import { present } from './staging.ts';
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

/** Where a list goes on: after which key, and in which state; -1 stands for the state there is when it goes on. */
interface Token {
  readonly revision: number;
  readonly after: string;
}

const tokenVersion = 'meta.k8s.io/v1';

/** The form that Kubernetes gives its tokens. */
const encodeToken = ({ revision, after }: Token): string =>
  Buffer.from(JSON.stringify({ v: tokenVersion, rv: revision, start: `${after}\0` })).toString('base64url');

const decodeToken = (text: string): Token => {
  const refused = (why: string): Error => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  try {
    const { v, rv, start } = asObject(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (v !== tokenVersion || typeof rv !== 'number' || typeof start !== 'string') throw refused('unknown form');
    return { revision: rv, after: start.replace(/\0$/, '') };
  } catch (error) {
    throw refused(messageOf(error));
  }
};

const keyOf = (object: ApiObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

const tooOld = (after: string): Error =>
  expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
    encodeToken({ revision: -1, after }),
  );

const objectsAt = (storage: Storage, scope: Scope, { revision, after }: Token): readonly ApiObject[] => {
  if (revision === storage.revision) return storage.list(resourceName(scope.kind), scope.namespace);
  if (revision > storage.revision) throw tooNew(revision, storage.revision);
  const objects = storage.shelf(resourceName(scope.kind)).listAt(revision, scope.namespace);
  if (objects) return objects;
  if (after !== '') throw tooOld(after);
  throw expired(`too old resource version: ${revision} (${storage.revision})`);
};

const startOf = (storage: Storage, query: URLSearchParams): Token => {
  const match = query.get('resourceVersionMatch');
  const asked = readRevision(query);
  const token = query.get('continue');
  if (token) {
    if (match !== null) throw badRequest('resourceVersionMatch is forbidden for continue');
    const decoded = decodeToken(token);
    return decoded.revision < 0 ? { ...decoded, revision: storage.revision } : decoded;
  }
  if (match !== null && match !== 'Exact' && match !== 'NotOlderThan') {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      invalid('resourceVersionMatch', match, 'must be Exact or NotOlderThan'),
    ]);
  }
  if (match !== null && asked === undefined) {
    throw invalidObject({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    ]);
  }
  if (asked !== undefined && asked > storage.revision) throw tooNew(asked, storage.revision);
  return { revision: match === 'Exact' && asked ? asked : storage.revision, after: '' };
};

/** How many of the objects stand before the first whose key comes after `after`. They are in order. */
const startAfter = (objects: readonly ApiObject[], after: string): number => {
  const [namespace = '', name = ''] = after.split('/');
  const isAfter = ({ metadata }: ApiObject): boolean => {
    const place = metadata.namespace ?? '';
    return place === namespace ? metadata.name > name : place > namespace;
  };
  let [low, high] = [0, objects.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const object = objects[middle];
    if (object && isAfter(object)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/** One page of the objects in scope, as `limit`, `continue`, `resourceVersion` and `resourceVersionMatch` ask. */
export const listPage = (storage: Storage, scope: Scope, query: URLSearchParams): Page => {
  const start = startOf(storage, query);
  const { revision, after } = start;
  const all = objectsAt(storage, scope, start);
  const rest = after === '' ? all : all.slice(startAfter(all, after));
  const selective = Boolean(query.get('labelSelector') || query.get('fieldSelector'));
  const selected = selective ? rest.filter(scope.selects) : rest;
  const limit = Number(query.get('limit') ?? 0);
  const whole = !(limit > 0) || selected.length <= limit;
  const items = (whole ? selected : selected.slice(0, limit)).map((object) => present(scope.kind, object));
  const last = items.at(-1);
  if (whole || !last) return { revision, items };
  const next = encodeToken({ revision, after: keyOf(last) });
  return { revision, items, next, ...(selective ? {} : { remaining: selected.length - limit }) };
};
