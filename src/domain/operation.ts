// What an Operation row says, and how its states are read.

import type { OperationResourceType, OperationState } from '../db/rows.ts';

export type { OperationState };

/** Every type, so that the compiler asks for one that is missing. */
const types = {
  Application: true,
  ManagedEnvironment: true,
  RepositoryCredentials: true,
  SyncOperation: true,
  GitOpsEngineInstance: true,
} as const satisfies Record<OperationResourceType, true>;

/** The types that an agent of this service or of the original may be asked for. */
export const operationTypes: ReadonlySet<string> = new Set(Object.keys(types));

/** What is read of an Operation to judge it. */
interface Ticket {
  readonly id: string;
  readonly state: OperationState;
  readonly message: string;
  readonly lastStateUpdate: string;
}

/** True for a state that nobody changes any more. */
export const isEnded = (state: OperationState): boolean => state === 'Completed' || state === 'Failed';

/**
 * Of one resource's Operations, oldest first: those that still count as open. One `In_Progress` that is older than an
 * ended one is settled with it: a handler looks at the present rows, so the later run did its work too.
 */
export const openOperations = <T extends Ticket>(operations: readonly T[]): readonly T[] => {
  const lastEnded = operations.findLastIndex((operation) => isEnded(operation.state));
  return operations.filter(
    (operation, index) => operation.state === 'Waiting' || (operation.state === 'In_Progress' && index > lastEnded),
  );
};

/** The failure that still stands: the last ended Operation, when it failed. */
export const standingFailure = <T extends Ticket>(operations: readonly T[]): T | undefined => {
  const last = operations.findLast((operation) => isEnded(operation.state));
  return last?.state === 'Failed' ? last : undefined;
};

/** The key that lets at most one of our Operations wait for each resource. */
export const dedupeKey = (instanceId: string, type: OperationResourceType, resourceId: string): string =>
  `${instanceId}/${type}/${resourceId}`;

/** Most that a row's message holds. */
const MAX_MESSAGE_BYTES = 1024;

/** A message that fits the row: cut at a character, never inside one, with `...` at the end. */
export const rowMessage = (message: string): string => {
  if (Buffer.byteLength(message) <= MAX_MESSAGE_BYTES) return message;
  let kept = '';
  let bytes = 3;
  for (const character of message) {
    bytes += Buffer.byteLength(character);
    if (bytes > MAX_MESSAGE_BYTES) break;
    kept += character;
  }
  return `${kept}...`;
};
