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
  /** The same as it was at `revision`, or undefined when the history no longer reaches back to it. */
  listAt(revision: number, namespace?: string): readonly ApiObject[] | undefined;
  /** The changes after `revision`, or undefined when the history no longer reaches back to it. */
  since(revision: number): readonly Change[] | undefined;
  /** Puts the object of a change in its place, or takes it away, and remembers the change. */
  apply(change: Change): void;
}

const byOrder = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** Things by name, listed in the order of their names. A list is made when it is asked for, and kept until a change. */
const createOrdered = <T>() => {
  const entries = new Map<string, T>();
  let order: string[] | undefined;
  let listed: readonly T[] | undefined;
  return {
    isEmpty: (): boolean => entries.size === 0,
    get: (name: string): T | undefined => entries.get(name),
    set(name: string, value: T): void {
      if (!entries.has(name)) order = undefined;
      listed = undefined;
      entries.set(name, value);
    },
    delete(name: string): void {
      entries.delete(name);
      order = undefined;
      listed = undefined;
    },
    list(): readonly T[] {
      order ??= [...entries.keys()].toSorted(byOrder);
      listed ??= order.flatMap((name) => entries.get(name) ?? []);
      return listed;
    },
  };
};

/** Takes back the changes made after a revision, newest first. */
const undo = (objects: readonly ApiObject[], changes: readonly Change[]): ApiObject[] => {
  if (changes.length === 0) return [...objects];
  const keyOf = ({ metadata }: ApiObject): string => `${metadata.namespace ?? ''}\0${metadata.name}`;
  const byKey = new Map(objects.map((object) => [keyOf(object), object]));
  for (const change of changes.toReversed()) {
    if (change.previous) byKey.set(keyOf(change.previous), change.previous);
    else byKey.delete(keyOf(change.object));
  }
  return [...byKey].toSorted(([left], [right]) => byOrder(left, right)).map(([, object]) => object);
};

/** Creates an empty shelf that remembers between `historyLimit` and twice as many changes, from `firstRevision` on. */
export const createShelf = (options: { firstRevision: number; historyLimit: number }): Shelf => {
  const { historyLimit } = options;
  const byNamespace = createOrdered<ReturnType<typeof createOrdered<ApiObject>>>();
  let history: Change[] = [];
  let forgotten = options.firstRevision;

  const list: Shelf['list'] = (namespace) =>
    namespace === undefined
      ? byNamespace.list().flatMap((objects) => objects.list())
      : (byNamespace.get(namespace)?.list() ?? []);

  const since: Shelf['since'] = (revision) => {
    if (revision < forgotten) return undefined;
    // The last changes are asked for most: they are looked for from the end.
    return history.slice(history.findLastIndex((change) => change.revision <= revision) + 1);
  };

  const remember = (change: Change): void => {
    history.push(change);
    if (history.length <= 2 * historyLimit) return;
    forgotten = history[historyLimit - 1]?.revision ?? forgotten;
    history = history.slice(historyLimit);
  };

  return {
    isEmpty: () => byNamespace.isEmpty(),
    get: (ref) => byNamespace.get(ref.namespace ?? '')?.get(ref.name),
    list,
    listAt(revision, namespace) {
      const changes = since(revision);
      if (namespace === undefined) return changes && undo(list(), changes);
      const inside = changes?.filter(({ object }) => object.metadata.namespace === namespace);
      return inside && undo(list(namespace), inside);
    },
    since,
    apply(change) {
      const { name, namespace = '' } = change.object.metadata;
      const objects = byNamespace.get(namespace) ?? createOrdered<ApiObject>();
      if (change.type === 'DELETED') objects.delete(name);
      else objects.set(name, change.object);
      if (objects.isEmpty()) byNamespace.delete(namespace);
      else if (!byNamespace.get(namespace)) byNamespace.set(namespace, objects);
      remember(change);
    },
  };
};
