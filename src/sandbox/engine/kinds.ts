// Which kinds the cluster serves, asked of its discovery.
import type { KubeClient } from '../../kube/client.ts';
import type { ResourceType } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { at, listAt, textAt } from './fields.ts';
import { groupOf, versionOf } from './shapes.ts';

/** The kinds of the cluster. */
export interface Kinds {
  /** How `kind` of `apiVersion` is addressed; undefined when the cluster doesn't serve it (yet). */
  find(apiVersion: string, kind: string, signal: AbortSignal): Promise<ResourceType | undefined>;
}

/** Creates the lookup. A kind that was found stays known; one that was not is asked for again, for its CRD may come. */
export const createKinds = (client: KubeClient): Kinds => {
  const known = new Map<string, ResourceType>();
  const discover = async (apiVersion: string, signal: AbortSignal): Promise<readonly unknown[]> => {
    const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    try {
      return listAt(await client.raw({ method: 'GET', path, signal }), 'resources');
    } catch (error) {
      if (isNotFound(error)) return [];
      throw error;
    }
  };
  return {
    async find(apiVersion, kind, signal) {
      const key = `${apiVersion} ${kind}`;
      const found = known.get(key);
      if (found) return found;
      for (const entry of await discover(apiVersion, signal)) {
        const plural = textAt(entry, 'name');
        if (plural.includes('/')) continue;
        const namespaced = at(entry, 'namespaced') === true;
        const resource = {
          group: groupOf(apiVersion),
          version: versionOf(apiVersion),
          plural,
          kind: textAt(entry, 'kind'),
          namespaced,
        };
        known.set(`${apiVersion} ${resource.kind}`, resource);
      }
      return known.get(key);
    },
  };
};
