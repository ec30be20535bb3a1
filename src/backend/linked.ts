// Links of objects to their rows, as the lanes of several kinds read them.
import type { LinkedJson } from '../db/queries/facts.ts';
import type { Lane } from './lane.ts';

/** True for a link under the name and namespace that its lane has. */
export const isInPlace = (link: LinkedJson, lane: Lane): boolean =>
  link.namespaceUid === lane.namespaceUid && link.name === lane.name;

/** A row without the links of an engine in another cluster: they are that cluster's backend's, and nothing here proves anything about them. */
export const withoutOthers = <Row extends { readonly links: readonly LinkedJson[] | null }>(
  row: Row,
  { clusterUid }: { readonly clusterUid: string },
): Row => ({
  ...row,
  links: (row.links ?? []).filter((link) => link.clusterUid === null || link.clusterUid === clusterUid),
});
