// Plays the controllers that make Deployments and their like ready: nothing runs pods in the sandbox.
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import type { Random } from '../../lib/random.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ResourceType } from '../../kube/object.ts';
import { isConflict, isNotFound } from '../../kube/status-error.ts';
import { createController } from '../../runtime/controller.ts';
import { isPlayed, nextWorkloadStep } from './workload-status.ts';
import type { LiveChange } from './live.ts';

/** The play. */
export interface Workloads {
  start(): void;
  /** Looks at an object that came or changed. */
  see(change: LiveChange): void;
  stop(): Promise<void>;
}

/** Creates the play for the objects it is shown; each is ready `readyAfterMs` after it was made or changed. */
export const createWorkloads = (parts: {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly readyAfterMs: number;
}): Workloads => {
  const { client, clock, readyAfterMs } = parts;
  const resources = new Map<string, ResourceType>();

  const controller = createController({
    ...parts,
    name: 'sandbox-workloads',
    concurrency: 4,
    async reconcile(key, { signal }) {
      const [namespace = '', plural = '', name = ''] = key.split('/');
      const resource = resources.get(plural);
      if (!resource) return undefined;
      try {
        const object = await client.get(resource, { namespace, name }, { signal });
        const step = nextWorkloadStep(object, { ms: clock.now(), readyAfterMs });
        if (step.status) {
          const { resourceVersion } = object.metadata;
          const body = { metadata: resourceVersion ? { resourceVersion } : {}, status: step.status };
          await client.patch(resource, { namespace, name }, { type: 'merge', subresource: 'status', body, signal });
        }
        return step.afterMs === undefined ? undefined : { afterMs: step.afterMs };
      } catch (error) {
        if (isNotFound(error) || isConflict(error)) return undefined; // gone, or changed: then its event comes
        throw error;
      }
    },
  });

  return {
    start: () => controller.start(),
    stop: () => controller.stop(),
    see({ resource, object, gone }) {
      if (gone || !isPlayed(object)) return;
      const plural = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
      resources.set(plural, resource);
      controller.enqueue(`${object.metadata.namespace ?? ''}/${plural}/${object.metadata.name}`);
    },
  };
};
