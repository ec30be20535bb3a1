// Objects and lists in the shape that a reader asked for.
import { apiVersionOf } from '../../../kube/object.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { ApiRequest } from './exchange.ts';
import type { JsonObject } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import type { Page } from '../objects/listing.ts';
import { partialObject, readShape, tableOf } from './table.ts';

/** Makes answers of objects, as the request's `Accept` and `includeObject` ask. Throws 406 on a shape not served. */
export interface Answers {
  /** The function that makes the JSON of one object, which is made once for all who ask for the object as it is. */
  writer(request: ApiRequest, kind: Kind): (object: ApiObject) => string;
  list(request: ApiRequest, kind: Kind, page: Page): JsonObject;
}

const listMetadata = (page: Page): JsonObject => ({
  resourceVersion: String(page.revision),
  ...(page.next === undefined ? {} : { continue: page.next }),
  ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
});

/** In a list of a built-in kind, which its own `kind` tells of, items do not say what they are. */
const itemsOf = (kind: Kind, page: Page): readonly unknown[] =>
  kind.custom ? page.items : page.items.map(({ apiVersion: _version, kind: _kind, ...fields }) => fields);

/** Creates the maker of answers. */
export const createAnswers = (clock: Clock): Answers => {
  const table = (request: ApiRequest, kind: Kind) => (objects: readonly ApiObject[], metadata: JsonObject) =>
    tableOf(kind, objects, {
      nowMs: clock.now(),
      includeObject: request.query.get('includeObject') ?? 'Metadata',
      metadata,
    });

  // A change goes to every watch, and to who made it: its text is kept as long as the object, which nobody changes.
  const written = new WeakMap<ApiObject, string>();
  const writeOnce = (object: ApiObject): string => {
    const text = written.get(object) ?? JSON.stringify(object);
    written.set(object, text);
    return text;
  };

  return {
    writer(request, kind) {
      const shape = readShape(request.accept);
      if (shape === 'object') return writeOnce;
      if (shape === 'PartialObjectMetadata') return (object) => JSON.stringify(partialObject(object));
      const tabulate = table(request, kind);
      return (object) => JSON.stringify(tabulate([object], { resourceVersion: object.metadata.resourceVersion }));
    },
    list(request, kind, page) {
      const shape = readShape(request.accept);
      const metadata = listMetadata(page);
      if (shape === 'Table') return table(request, kind)(page.items, metadata);
      if (shape === 'object') {
        return { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata, items: itemsOf(kind, page) };
      }
      const items = page.items.map(partialObject);
      return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList', metadata, items };
    },
  };
};
