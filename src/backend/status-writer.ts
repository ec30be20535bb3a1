// Writes the statuses of one kind, and knows our own writes when the watch brings them.
import { waitingFault } from '../api/reasons.ts';
import type { KubeClient } from '../kube/client.ts';
import type { ResourceType } from '../kube/object.ts';
import { isNotFound } from '../kube/status-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createOwnWrites, type OwnWrite } from '../runtime/own-writes.ts';
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

/** A whole status. */
type NewStatus = NonNullable<Conditioned['status']>;

/** Writes statuses of one kind. */
export interface StatusWriter<T extends Conditioned> {
  /**
   * Makes `status` the whole status of an object from the cache, where it differs. An object that is gone is left alone.
   * @throws Fault('waiting', 'StaleCache') for an object as it was before our last write to it. What it should say would be
   * compared with what it said before; where the two are the same, the last write would be taken for right.
   */
  write(cached: T, status: NewStatus, announce?: Announce): Promise<void>;
  /** True for an object whose newest change is our own write, unless a pass has waited for it: there is nothing new in it. */
  isEcho(object: T): boolean;
  /** The object is gone. */
  forget(uid: string): void;
}

/** The watch wakes who came too early; this is for what it has brought during the pass. */
const STALE_AGAIN_MS = 200;

const isNothing = ({ conditions = [], ...more }: NewStatus): boolean =>
  conditions.length === 0 && Object.keys(more).length === 0;

/** Creates the writer of a kind. */
export const createStatusWriter = <T extends Conditioned>(options: StatusWriterOptions<T>): StatusWriter<T> => {
  const { clock, lost: signal } = options;
  const patcher = createStatusPatcher(options);
  const written = createOwnWrites(clock);
  /** How many passes came too early for a write. */
  const early = new WeakMap<OwnWrite, number>();
  return {
    async write(cached, status, announce) {
      const { uid = '', resourceVersion: from } = cached.metadata;
      const last = written.last(uid);
      if (last?.behind.has(from)) {
        const times = early.get(last) ?? 0;
        early.set(last, times + 1);
        throw waitingFault('StaleCache', '', STALE_AGAIN_MS * 2 ** times);
      }
      if (isNothing(status) && !cached.status) return;
      try {
        const patched = await patcher.patch(cached, status, { signal });
        if (patched === 'unchanged') return;
        const { resourceVersion: to } = patched.metadata;
        written.forget(uid); // the cache has come past what was written before
        if (to !== from) written.add(uid, { from, to });
        announce?.(cached, patched);
      } catch (error) {
        if (!isNotFound(error)) throw error; // deleted meanwhile: nobody is left to be told
      }
    },
    isEcho({ metadata: { uid = '', resourceVersion } }) {
      const last = written.last(uid);
      return last !== undefined && last.to === resourceVersion && !early.has(last);
    },
    forget: written.forget,
  };
};
