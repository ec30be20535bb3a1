// Facts that are told the same way about every kind.
import type { EngineKey } from '../db/queries/deployment-facts.ts';
import type { OperationJson } from '../db/queries/facts.ts';
import { statementBatch } from '../db/statement-batch.ts';
import type { NamespaceFacts, OperationFacts } from '../domain/deployment-facts.ts';
import type { OperationState } from '../domain/operation.ts';
import type { Namespace } from '../kube/object.ts';
import { createBatch } from '../lib/batch.ts';
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

/** Creates the reader of the row of facts for one key. Keys that are asked for at the same time share a statement. */
export const createRowReader = <Key, Row>(
  select: (keys: readonly Key[], engine: EngineKey) => Promise<readonly Row[]>,
): ((key: Key, engine: EngineKey) => Promise<Row>) => {
  const rowOf = createBatch<{ readonly key: Key; readonly engine: EngineKey }, Row>({
    ...statementBatch,
    run: async (asked) => {
      const [first] = asked; // one engine serves every tenant of a process
      if (!first) return [];
      const keys = asked.map(({ key }) => key);
      return select(keys, first.engine);
    },
  });
  return (key, engine) => rowOf({ key, engine });
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
