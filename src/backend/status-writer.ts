// Writes the statuses of one kind, and knows our own writes when the watch brings them.
import { waitingFault } from '../api/reasons.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/object.ts';
import { isNotFound } from '../kube/status-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createStatusPatcher } from '../runtime/status-patch.ts';
import type { Announce, Conditioned } from './announce.ts';

/** What a writer takes. */
export interface StatusWriterOptions<T extends Conditioned> {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborts when the right to work is lost: nothing may be written after. */
  readonly lost: AbortSignal;
}

/** Writes statuses of one kind. */
export interface StatusWriter<T extends Conditioned> {
  /**
   * Makes `status` the whole status of an object from the cache, where it differs. An object that is gone is left alone.
   * @throws Fault('waiting', 'StaleCache') for an object as it was before our last write to it. What it should say would be
   * compared with what it said before; where the two are the same, the last write would be taken for right.
   */
  write(cached: T, status: object, announce?: Announce): Promise<void>;
  /** True for an object whose newest change is our own write: there is nothing new in it. */
  isEcho(object: T): boolean;
  /** The object is gone. */
  forget(uid: string): void;
}

/** The versions of an object before and after our last write to it. */
interface Written {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly untilMs: number;
}

/** Longer than a watch that lives ever lags. After that a version may come again, of a restored etcd. */
const KEPT_MS = 60_000;
const STALE_AGAIN_MS = 200;

/** Creates the writer of a kind. */
export const createStatusWriter = <T extends Conditioned>(options: StatusWriterOptions<T>): StatusWriter<T> => {
  const { clock, lost: signal } = options;
  const patcher = createStatusPatcher(options);
  const written = new Map<string, Written>();
  const lastWrite = ({ metadata: { uid = '' } }: T): Written | undefined => {
    const last = written.get(uid);
    return last && last.untilMs > clock.monotonicMs() ? last : undefined;
  };
  return {
    async write(cached, status, announce) {
      const { uid = '', resourceVersion: from } = cached.metadata;
      if (lastWrite(cached)?.from === from) throw waitingFault('StaleCache', '', STALE_AGAIN_MS);
      try {
        const patched = await patcher.patch(cached, status, { signal });
        if (patched === 'unchanged') return;
        const { resourceVersion: to } = patched.metadata;
        if (to !== from) written.set(uid, { from, to, untilMs: clock.monotonicMs() + KEPT_MS });
        announce?.(cached, patched);
      } catch (error) {
        if (!isNotFound(error)) throw error; // deleted meanwhile: nobody is left to be told
      }
    },
    isEcho: (object) => {
      const last = lastWrite(object);
      return last !== undefined && last.to === object.metadata.resourceVersion;
    },
    forget: (uid) => void written.delete(uid),
  };
};
