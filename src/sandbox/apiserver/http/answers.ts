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
  /** The function that shapes one object. */
  shaper(request: ApiRequest, kind: Kind): (object: ApiObject) => unknown;
  list(request: ApiRequest, kind: Kind, page: Page): JsonObject;
}

const listMetadata = (page: Page): JsonObject => ({
  resourceVersion: String(page.revision),
  ...(page.next === undefined ? {} : { continue: page.next }),
  ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
});

/** Creates the maker of answers. */
export const createAnswers = (clock: Clock): Answers => {
  const table = (request: ApiRequest, kind: Kind) => (objects: readonly ApiObject[], metadata: JsonObject) =>
    tableOf(kind, objects, {
      nowMs: clock.now(),
      includeObject: request.query.get('includeObject') ?? 'Metadata',
      metadata,
    });

  return {
    shaper(request, kind) {
      const shape = readShape(request.accept);
      if (shape === 'object') return (object) => object;
      if (shape === 'PartialObjectMetadata') return partialObject;
      const tabulate = table(request, kind);
      return (object) => tabulate([object], { resourceVersion: object.metadata.resourceVersion });
    },
    list(request, kind, page) {
      const shape = readShape(request.accept);
      const metadata = listMetadata(page);
      if (shape === 'Table') return table(request, kind)(page.items, metadata);
      if (shape === 'object') {
        return { apiVersion: apiVersionOf(kind), kind: kind.listKind, metadata, items: page.items };
      }
      const items = page.items.map(partialObject);
      return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadataList', metadata, items };
    },
  };
};
