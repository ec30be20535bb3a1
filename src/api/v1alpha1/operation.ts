// Operation: a work ticket for the agent. It carries only the id of a database row.
import type { z } from 'zod';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { object, text } from '../fields.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { ownResource } from './group.ts';

const specSchema = object('Which work is meant.', {
  operationID: text('Id of the row that says what is to be done.').optional(),
});

/** A work ticket for the agent. What is to be done, and how it went, stands in the row. */
export interface Operation extends ApiObject {
  spec?: z.infer<typeof specSchema>;
  status?: Record<string, never>;
}

/** Addresses Operations. */
export const operations: ApiResource<Operation> = ownResource('Operation');

/** Operation as a custom resource. */
export const operationKind: CustomKind = {
  resource: operations,
  schema: objectSchema('Tells the agent that there is work. Made and removed by the service; not for users.', {
    spec: specSchema.optional(),
    status: object('Always empty: how the work went stands in the row.', {}).optional(),
  }),
  statusSubresource: true,
  keepsUnknownFields: false,
  columns: [
    { name: 'Operation ID', type: 'string', description: 'Id of the row.', jsonPath: '.spec.operationID' },
    ageColumn,
  ],
};
