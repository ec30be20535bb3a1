// Which Argo CD this agent serves: a namespace, and the cluster it is in.
import { internalFault } from '../api/reasons.ts';
import type { AgentEngine } from '../db/queries/agent-engine.ts';
import type { KubeClient } from '../kube/client.ts';
import { namespaces } from '../kube/object.ts';
import { isNotFound } from '../kube/status-error.ts';

/** An Argo CD as the API server knows it now. */
export interface EngineIdentity extends AgentEngine {
  readonly namespaceUid: string;
}

/** The Argo CD of an agent. */
export interface Engine {
  readonly namespace: string;
  /** Read once and kept until `forget`. @throws Fault('internal', 'EngineNotFound') while the namespace is missing. */
  identity(): Promise<EngineIdentity>;
  /** Reads anew at the next use: the namespace may have been made again. */
  forget(): void;
}

/** Creates the engine of a namespace; nothing is read before it is needed. */
export const createEngine = (client: KubeClient, namespace: string): Engine => {
  const uidOf = async (name: string): Promise<string> => {
    try {
      return (await client.get(namespaces, { name })).metadata.uid ?? '';
    } catch (error) {
      if (isNotFound(error)) throw internalFault('EngineNotFound', `the namespace ${name} does not exist`);
      throw error;
    }
  };
  const read = async (): Promise<EngineIdentity> => {
    const [namespaceUid, clusterUid] = await Promise.all([uidOf(namespace), uidOf('kube-system')]);
    return { namespace, namespaceUid, clusterUid };
  };
  let known: Promise<EngineIdentity> | undefined;
  return {
    namespace,
    identity() {
      const reading = (known ??= read());
      reading.catch(() => {
        if (known === reading) known = undefined;
      });
      return reading;
    },
    forget() {
      known = undefined;
    },
  };
};
