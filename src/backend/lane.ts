// The lane of an object: its key in the queue, by name and not by UID.

/** What the lanes of the backend are about. */
export type LaneKind = 'deployment' | 'sync' | 'environment' | 'credential';

/** One lane. An object deleted and made again under the same name stays in it. */
export interface Lane {
  readonly namespaceUid: string;
  readonly name: string;
}

/** The key of a lane, `<namespaceUid>/<kind>/<name>`. */
export const laneKey = (kind: LaneKind, { namespaceUid, name }: Lane): string => `${namespaceUid}/${kind}/${name}`;

/** The lane of a key. Names of objects have no slash in them. */
export const laneOf = (key: string): Lane => {
  const [namespaceUid = '', , name = ''] = key.split('/');
  return { namespaceUid, name };
};
