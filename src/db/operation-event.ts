// What the channel `operation_event` tells.
import type { OperationState } from './rows.ts';

/** Something about an Operation's row that somebody acts on: it is new, touched, ended, or says something else. */
export interface OperationEvent {
  readonly id: string;
  readonly type: string;
  readonly resourceId: string;
  /** As of the event; the row may have moved on. */
  readonly state: OperationState;
  readonly instanceId: string;
  readonly ownerId: string | null;
}

/** Reads a payload; undefined for one that somebody made up. */
export const readOperationEvent = (payload: string): OperationEvent | undefined => {
  try {
    const value: unknown = JSON.parse(payload);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const isEvent = (value: unknown): value is OperationEvent => {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['id', 'type', 'resourceId', 'state', 'instanceId'];
  return texts.every((name) => name in value && typeof value[name as keyof typeof value] === 'string'); // looked for just now
};
