// The object of an Operation's row.
import { deliveryLabel, operationName } from '../../api/labels.ts';
import { operations } from '../../api/v1alpha1/operation.ts';
import type { DeliveryRow } from '../../db/queries/operation.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isNotFound } from '../../kube/status-error.ts';
import type { WholeDelivery } from './deliveries.ts';

/** Deletes the objects of a delivery, as far as they are there. */
export const deleteDelivery = async (
  client: KubeClient,
  { label, rows }: WholeDelivery,
  signal: AbortSignal,
): Promise<void> => {
  const [first] = rows;
  if (rows.length === 1 && first) return deleteOperationObject(client, first, signal);
  const labelSelector = `${deliveryLabel}=${label}`;
  for (const namespace of new Set(rows.map((row) => row.namespace_name))) {
    await client.deleteLabelled(operations, { namespace, labelSelector }, { signal });
  }
};

/** Deletes the object of a row; one that is gone already is fine. */
export const deleteOperationObject = async (
  client: KubeClient,
  row: DeliveryRow,
  signal: AbortSignal,
): Promise<void> => {
  const ref = { namespace: row.namespace_name, name: operationName(row.operation_id) };
  try {
    await client.delete(operations, ref, { signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
