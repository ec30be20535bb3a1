// What a reader asked to see instead of the object itself: a table, or metadata alone.
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { notAcceptable } from '../refusal.ts';

/** The shape of an answer. */
export type Shape = 'object' | 'Table' | 'PartialObjectMetadata';

const offered: Readonly<Record<string, Shape>> = {
  Table: 'Table',
  PartialObjectMetadata: 'PartialObjectMetadata',
  PartialObjectMetadataList: 'PartialObjectMetadata',
};

const shapeOf = (mediaType: string): Shape | undefined => {
  const [type = '', ...rest] = mediaType.split(';').map((part) => part.trim());
  if (!['application/json', 'application/*', '*/*'].includes(type)) return undefined;
  const parameters = Object.fromEntries(rest.map((part) => part.split('=')));
  const asked: unknown = parameters['as'];
  if (typeof asked !== 'string') return 'object';
  return parameters['g'] === 'meta.k8s.io' && parameters['v'] === 'v1' ? offered[asked] : undefined;
};

/** The first shape of an `Accept` header that is served. Throws 406 when none is. */
export const readShape = (accept: string): Shape => {
  if (accept.trim() === '') return 'object';
  const shape = accept
    .split(',')
    .map(shapeOf)
    .find((found) => found !== undefined);
  if (!shape) throw notAcceptable('application/json');
  return shape;
};

/** An object's metadata as an object of its own. */
export const partialObject = (object: ApiObject): Record<string, unknown> => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'PartialObjectMetadata',
  metadata: object.metadata,
});

/** How a table is made. */
export interface TableOptions {
  readonly nowMs: number;
  /** What each row carries besides its cells; from the query parameter `includeObject`. */
  readonly includeObject: string;
  readonly metadata?: Record<string, unknown>;
}

const rowObject = (object: ApiObject, includeObject: string): Record<string, unknown> => {
  if (includeObject === 'None') return {};
  return { object: includeObject === 'Object' ? object : partialObject(object) };
};

/** The table of some objects of one kind (`meta.k8s.io/v1` Table). */
export const tableOf = (kind: Kind, objects: readonly ApiObject[], options: TableOptions): Record<string, unknown> => ({
  apiVersion: 'meta.k8s.io/v1',
  kind: 'Table',
  metadata: options.metadata ?? {},
  columnDefinitions: kind.columns.map(({ name, type, description, priority }) => ({
    name,
    type,
    format: name === 'Name' ? 'name' : '',
    description,
    priority,
  })),
  rows: objects.map((object) => ({
    cells: kind.columns.map((column) => column.cell(object, options.nowMs) ?? null),
    ...rowObject(object, options.includeObject),
  })),
});
