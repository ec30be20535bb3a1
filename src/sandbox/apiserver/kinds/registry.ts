// Which kinds are served at this moment.
import { resourceName, type Kind } from './kind.ts';

/** The kinds that are served, built in or defined by a user. */
export interface Registry {
  find(group: string, version: string, plural: string): Kind | undefined;
  /** Some version of a kind, by its `plural.group`: enough to delete its objects. */
  byResource(resource: string): Kind | undefined;
  /** Some version of a kind, by the API group and kind that an owner reference names. */
  byKind(group: string, kind: string): Kind | undefined;
  /** All kinds in all versions, in the order in which they came. */
  all(): readonly Kind[];
  /** Serves these versions of a resource in place of those served so far; none takes it away. */
  serve(resource: string, kinds: readonly Kind[]): void;
}

/** Creates a registry that serves the given kinds. */
export const createRegistry = (kinds: readonly Kind[]): Registry => {
  const byResource = new Map<string, readonly Kind[]>(kinds.map((kind) => [resourceName(kind), [kind]]));
  const all = (): Kind[] => [...byResource.values()].flat();
  return {
    find: (group, version, plural) =>
      byResource.get(resourceName({ group, plural }))?.find((kind) => kind.version === version),
    byResource: (resource) => byResource.get(resource)?.[0],
    byKind: (group, name) => all().find((kind) => kind.group === group && kind.kind === name),
    all,
    serve(resource, versions) {
      if (versions.length === 0) byResource.delete(resource);
      else byResource.set(resource, versions);
    },
  };
};
