// Members in groups, each member in one group at most: found by the group, and taken out without naming it.

/** Names of members by the names of their groups. Nothing is kept of a group without members. */
export interface Groups {
  /** Puts a member into a group, and out of the one that it was in. */
  put(member: string, group: string): void;
  drop(member: string): void;
  has(member: string): boolean;
  /** The members of a group, in the order in which they came. */
  of(group: string): Iterable<string>;
}

/** Creates it without any. */
export const createGroups = (): Groups => {
  const members = new Map<string, Set<string>>();
  const groupOf = new Map<string, string>();
  const drop = (member: string): void => {
    const group = groupOf.get(member);
    if (group === undefined) return;
    groupOf.delete(member);
    const left = members.get(group);
    left?.delete(member);
    if (left?.size === 0) members.delete(group);
  };
  return {
    put(member, group) {
      if (groupOf.get(member) === group) return;
      drop(member);
      groupOf.set(member, group);
      members.set(group, (members.get(group) ?? new Set()).add(member));
    },
    drop,
    has: (member) => groupOf.has(member),
    of: (group) => members.get(group) ?? [],
  };
};
