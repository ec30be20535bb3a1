// The lane of a deployment: its key in the queue, by name and not by UID.

/** One lane. A deployment deleted and made again under the same name stays in it. */
export interface DeploymentLane {
  readonly namespaceUid: string;
  readonly name: string;
}

/** The key of a lane, `<namespaceUid>/deployment/<name>`. */
export const laneKey = ({ namespaceUid, name }: DeploymentLane): string => `${namespaceUid}/deployment/${name}`;

/** The lane of a key. Names of objects have no slash in them. */
export const laneOf = (key: string): DeploymentLane => {
  const [namespaceUid = '', , name = ''] = key.split('/');
  return { namespaceUid, name };
};
