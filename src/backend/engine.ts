// The Argo CD that serves the tenants of this process, as the cache of namespaces knows it.
import { internalFault } from '../api/reasons.ts';
import type { EngineFacts } from '../domain/deployment-facts.ts';
import type { Namespace } from '../kube/object.ts';
import type { StoreReader } from '../runtime/store.ts';

/** The UID of `kube-system`, which identifies the cluster. @throws Fault('internal', 'EngineNotFound'). */
export const clusterUidOf = (namespaces: StoreReader<Namespace>): string => {
  const uid = namespaces.get('kube-system')?.metadata.uid;
  if (uid) return uid;
  throw internalFault('EngineNotFound', 'the namespace kube-system, which identifies the cluster, does not exist');
};

/** The Argo CD in `namespace`. @throws Fault('internal', 'EngineNotFound') while there is no such namespace. */
export const engineIn = (namespaces: StoreReader<Namespace>, namespace: string): EngineFacts => {
  const namespaceUid = namespaces.get(namespace)?.metadata.uid;
  if (namespaceUid) return { namespace, namespaceUid, clusterUid: clusterUidOf(namespaces) };
  throw internalFault('EngineNotFound', `the namespace of Argo CD, ${namespace}, does not exist`);
};
