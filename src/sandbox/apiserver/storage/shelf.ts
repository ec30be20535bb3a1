// The objects of one resource, and the recent history of their changes.
import type { ObjectRef } from '../../../kube/object.ts';
import type { ApiObject } from '../kinds/kind.ts';

/** One change. For DELETED, `object` is the last state with the revision of the deletion. */
export interface Change {
  readonly resource: string;
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: ApiObject;
  /** What stood there before; none for ADDED. */
  readonly previous?: ApiObject;
}

/** The objects of one resource, by namespace ('' for cluster-scoped ones) and name. */
export interface Shelf {
  isEmpty(): boolean;
  get(ref: ObjectRef): ApiObject | undefined;
  /** All objects, or those of a namespace, ordered by namespace and name. */
  list(namespace?: string): readonly ApiObject[];
  /** All objects as they were at `revision`, or undefined when the history no longer reaches back to it. */
  listAt(revision: number): readonly ApiObject[] | undefined;
  /** The changes after `revision`, or undefined when the history no longer reaches back to it. */
  since(revision: number): readonly Change[] | undefined;
  /** Puts the object of a change in its place, or takes it away, and remembers the change. */
  apply(change: Change): void;
}

const byOrder = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

const sorted = <T>(entries: Iterable<[string, T]>): T[] =>
  [...entries].toSorted(([left], [right]) => byOrder(left, right)).map(([, value]) => value);

const keyOf = (object: ApiObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name}`;

/** Takes back the changes made after a revision, newest first. */
const undo = (objects: readonly ApiObject[], changes: readonly Change[]): ApiObject[] => {
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  for (const change of changes.toReversed()) {
    if (change.previous) byKey.set(keyOf(change.previous), change.previous);
    else byKey.delete(keyOf(change.object));
  }
  return sorted(byKey);
};

/** Creates an empty shelf that remembers between `historyLimit` and twice as many changes, from `firstRevision` on. */
export const createShelf = (options: { firstRevision: number; historyLimit: number }): Shelf => {
  const { historyLimit } = options;
  const byNamespace = new Map<string, Map<string, ApiObject>>();
  let history: Change[] = [];
  let forgotten = options.firstRevision;

  const list: Shelf['list'] = (namespace) =>
    namespace === undefined
      ? sorted(byNamespace).flatMap((objects) => sorted(objects))
      : sorted(byNamespace.get(namespace) ?? []);

  const since: Shelf['since'] = (revision) =>
    revision < forgotten ? undefined : history.filter((change) => change.revision > revision);

  const remember = (change: Change): void => {
    history.push(change);
    if (history.length <= 2 * historyLimit) return;
    forgotten = history[historyLimit - 1]?.revision ?? forgotten;
    history = history.slice(historyLimit);
  };

  return {
    isEmpty: () => byNamespace.size === 0,
    get: (ref) => byNamespace.get(ref.namespace ?? '')?.get(ref.name),
    list,
    listAt(revision) {
      const changes = since(revision);
      return changes && undo(list(), changes);
    },
    since,
    apply(change) {
      const { name, namespace = '' } = change.object.metadata;
      const objects = byNamespace.get(namespace) ?? new Map<string, ApiObject>();
      if (change.type === 'DELETED') objects.delete(name);
      else objects.set(name, change.object);
      if (objects.size === 0) byNamespace.delete(namespace);
      else byNamespace.set(namespace, objects);
      remember(change);
    },
  };
};
