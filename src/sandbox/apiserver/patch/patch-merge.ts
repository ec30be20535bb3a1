// JSON merge patch (RFC 7386), applied.
import { isRecord } from '../../../kube/json.ts';

/** What a merge patch makes of a value: null takes a member away, objects are merged, everything else is replaced. */
export const applyMergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isRecord(patch)) return patch;
  const members = new Map(Object.entries(isRecord(target) ? target : {}));
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) members.delete(name);
    else members.set(name, applyMergePatch(members.get(name), change));
  }
  return Object.fromEntries(members);
};
