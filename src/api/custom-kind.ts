// A kind that is served by a CustomResourceDefinition: its address, its schema and what `kubectl get` shows of it.
import type { z } from 'zod';
import { object, text } from './fields.ts';
import type { ApiResource } from './resource.ts';

/** A column of `kubectl get` (`CustomResourceColumnDefinition`). `priority` 1 shows it with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly description: string;
  readonly jsonPath: string;
  readonly priority?: 1;
}

/** All there is to say about a kind; its CustomResourceDefinition is made from this and nothing else. */
export interface CustomKind {
  readonly resource: ApiResource;
  readonly schema: z.ZodType;
  readonly columns: readonly Column[];
  /** Whether status is written by its own subresource. Argo CD's Application has none. */
  readonly statusSubresource: boolean;
  /** Whether fields that the schema doesn't name are kept, at every depth; for kinds that are not ours to define. */
  readonly keepsUnknownFields: boolean;
}

/** The whole object's schema, from the schemas of what is special to the kind (`spec`, `status`, …). */
export const objectSchema = <S extends z.ZodRawShape>(description: string, shape: S) =>
  object(description, {
    apiVersion: text('Group and version of this object, as `group/version`.').optional(),
    kind: text('Name of the kind in CamelCase; never changes.').optional(),
    metadata: object('Name, namespace, labels and the other standard metadata of the object.', {}).optional(),
    ...shape,
  });

/** The column that `kubectl get` ends with. */
export const ageColumn: Column = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was created.',
  jsonPath: '.metadata.creationTimestamp',
};
