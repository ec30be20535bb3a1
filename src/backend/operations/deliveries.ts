// Operation objects that were made together can be removed together, by one request.
import type { DeliveryRow } from '../../db/queries/operation.ts';
import type { Clock } from '../../lib/clock.ts';

/** Objects that were made together. */
export interface Delivery {
  /** Value of the label that they bear. */
  readonly label: string;
  readonly operationIds: readonly string[];
}

/** A delivery that can be removed: all of it that is left. */
export interface WholeDelivery {
  readonly label: string;
  readonly rows: readonly DeliveryRow[];
}

/** What is known about deliveries that have not been removed; none of it is needed, so a restart forgets it. */
export interface Deliveries {
  add(delivery: Delivery): void;
  /**
   * Sorts rows that can be removed: `whole` deliveries, and `single` rows of none. The rest waits until all of its
   * delivery can be removed, or for too long.
   */
  sort(rows: readonly DeliveryRow[]): {
    readonly whole: readonly WholeDelivery[];
    readonly single: readonly DeliveryRow[];
  };
  /** Rows that have waited for too long: they belong to no delivery any more. */
  late(): readonly DeliveryRow[];
  /** When there will be some. Milliseconds from now; Infinity while none wait. */
  lateInMs(): number;
  forget(operationIds: readonly string[]): void;
}

/** How long an Operation waits for the others that were delivered with it. */
const LATE_MS = 5_000;

interface Open {
  readonly members: Set<string>;
  readonly ready: Map<string, DeliveryRow>;
  readySinceMs: number;
}

/** Creates an empty memory. */
export const createDeliveries = (clock: Clock): Deliveries => {
  const open = new Map<string, Open>();
  const labelOf = new Map<string, string>();
  const forget = (ids: readonly string[]): void => {
    for (const id of ids) {
      const label = labelOf.get(id) ?? '';
      labelOf.delete(id);
      const delivery = open.get(label);
      delivery?.ready.delete(id);
      if (delivery?.members.delete(id) && delivery.members.size === 0) open.delete(label);
    }
  };
  const lateMs = ({ ready, readySinceMs }: Open): number => (ready.size > 0 ? readySinceMs + LATE_MS : Infinity);
  return {
    add({ label, operationIds }) {
      if (operationIds.length === 0) return;
      open.set(label, { members: new Set(operationIds), ready: new Map(), readySinceMs: 0 });
      for (const id of operationIds) labelOf.set(id, label);
    },
    sort(rows) {
      const single: DeliveryRow[] = [];
      const touched = new Map<string, Open>();
      for (const row of rows) {
        const label = labelOf.get(row.operation_id) ?? '';
        const delivery = open.get(label);
        if (!delivery) single.push(row);
        else {
          if (delivery.ready.size === 0) delivery.readySinceMs = clock.monotonicMs();
          delivery.ready.set(row.operation_id, row);
          touched.set(label, delivery);
        }
      }
      const whole = [...touched]
        .filter(([, { ready, members }]) => ready.size === members.size)
        .map(([label, { ready }]) => ({ label, rows: [...ready.values()] }));
      return { whole, single };
    },
    late() {
      const due = [...open.values()].filter((delivery) => lateMs(delivery) <= clock.monotonicMs());
      const rows = due.flatMap(({ ready }) => [...ready.values()]);
      forget(rows.map((row) => row.operation_id));
      return rows;
    },
    lateInMs: () => Math.min(Infinity, ...[...open.values()].map((one) => lateMs(one) - clock.monotonicMs())),
    forget,
  };
};
