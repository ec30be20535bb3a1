// Whether something may be made for an object now.
import { waitingFault } from '../api/reasons.ts';
import type { NamespaceFacts } from './deployment-facts.ts';

/** What a pass knows of the place that an object stands in. */
export interface TurnFacts {
  /** Undefined when the namespace is gone. */
  readonly namespace: NamespaceFacts | undefined;
  /** True when the object was read from the API server itself. */
  readonly live: boolean;
}

/** Throws a waiting `Fault`: nothing new is made in a namespace that goes away, or from a stale cache. */
export const assertTurn = (
  facts: TurnFacts,
  link: { readonly generation: number | null } | undefined,
  generation: number,
): void => {
  // A generation that goes back in the API server itself is that of a restored backup: then what is there counts.
  if (link?.generation && link.generation > generation && !facts.live) {
    throw waitingFault('StaleCache', 'a newer version of this object has been seen before', 1000);
  }
  if (!link) assertNamespaceStays(facts.namespace);
};

/** Throws a waiting `Fault` when the namespace is gone or goes away. */
export const assertNamespaceStays = (namespace: NamespaceFacts | undefined): void => {
  if (!namespace || namespace.deleting) {
    throw waitingFault('NamespaceTerminating', `namespace '${namespace?.name ?? ''}' is being deleted`);
  }
};
