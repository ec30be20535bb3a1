// Facts that are told the same way about every kind.
import type { OperationJson } from '../db/queries/facts.ts';
import type { NamespaceFacts, OperationFacts } from '../domain/deployment-facts.ts';
import type { OperationState } from '../domain/operation.ts';
import type { Namespace } from '../kube/object.ts';
import type { StoreReader } from '../runtime/store.ts';
import type { Lane } from './lane.ts';

/** The namespace of a lane, as the cache knows it. */
export const namespaceFacts = (
  { namespaces: known }: { readonly namespaces: StoreReader<Namespace> },
  { namespaceUid }: Lane,
): NamespaceFacts | undefined => {
  const found = known.byUid(namespaceUid);
  return (
    found && {
      name: found.metadata.name,
      uid: namespaceUid,
      deleting: found.metadata.deletionTimestamp !== undefined,
    }
  );
};

/** Operations as the rows tell of them. */
export const operationFacts = (rows: readonly OperationJson[] | null): readonly OperationFacts[] =>
  (rows ?? []).map(({ id, state, message, at, ours }) => ({
    id,
    state: state as OperationState, // both halves write only these
    message: message ?? '',
    lastStateUpdate: at,
    ours,
  }));
