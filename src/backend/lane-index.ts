// Which lane an application belongs to, as far as passes have met it: what is notified names the application only.
import { laneKey, type Lane } from './lane.ts';

/** Lanes by the ids of applications. It may lack some: the rows tell then. */
export interface LaneIndex {
  of(applicationId: string): Lane | undefined;
  /** True for a lane that has had applications. */
  knows(lane: Lane): boolean;
  /** A pass over the lane found exactly these applications. */
  learn(lane: Lane, applicationIds: readonly string[]): void;
}

/** Creates an empty index. */
export const createLaneIndex = (): LaneIndex => {
  const lanes = new Map<string, Lane>();
  const applications = new Map<string, readonly string[]>();
  return {
    of: (applicationId) => lanes.get(applicationId),
    knows: (lane) => applications.has(laneKey('deployment', lane)),
    learn(lane, applicationIds) {
      const key = laneKey('deployment', lane);
      const before = applications.get(key) ?? [];
      if (before.length === applicationIds.length && before.every((id) => applicationIds.includes(id))) return;
      for (const id of before) if (isSame(lanes.get(id), lane)) lanes.delete(id);
      for (const id of applicationIds) lanes.set(id, { namespaceUid: lane.namespaceUid, name: lane.name });
      if (applicationIds.length > 0) applications.set(key, applicationIds);
      else applications.delete(key);
    },
  };
};

const isSame = (one: Lane | undefined, other: Lane): boolean =>
  one?.namespaceUid === other.namespaceUid && one.name === other.name;
