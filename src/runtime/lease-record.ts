// The Lease object: what a candidate has seen of it, and what it writes.
import { rfc3339Micro, type Clock } from '../lib/clock.ts';
import type { Lease } from '../kube/object.ts';
import { isEqualJson } from '../kube/patch.ts';

/** What is known of the Lease, and since when it has stood as it does. */
export const createObservation = (clock: Clock, defaultDurationMs: number) => {
  let lease: Lease | undefined;
  let sinceMs = clock.monotonicMs();
  let isFresh = false;
  return {
    get lease() {
      return lease;
    },
    /** False after a write whose effect is unknown. */
    get isFresh() {
      return isFresh;
    },
    get holder() {
      return lease?.spec.holderIdentity ?? '';
    },
    see(next: Lease | undefined) {
      if (!isEqualJson(lease?.spec, next?.spec)) sinceMs = clock.monotonicMs();
      lease = next;
      isFresh = true;
    },
    doubt() {
      isFresh = false;
    },
    isExpired(): boolean {
      const seconds = lease?.spec.leaseDurationSeconds;
      const durationMs = seconds === undefined ? defaultDurationMs : seconds * 1000;
      return clock.monotonicMs() - sinceMs > durationMs;
    },
  };
};

/** The Lease as its holder writes it: taken, or renewed where it was the holder's already. */
export const claim = (
  seen: Lease | undefined,
  by: {
    readonly namespace: string;
    readonly name: string;
    readonly identity: string;
    readonly durationMs: number;
    readonly clock: Clock;
  },
): Lease => {
  const renewTime = rfc3339Micro(by.clock.now());
  const mine = {
    holderIdentity: by.identity,
    leaseDurationSeconds: Math.ceil(by.durationMs / 1000),
    renewTime,
  };
  if (!seen) {
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: by.namespace, name: by.name },
      spec: { ...mine, acquireTime: renewTime, leaseTransitions: 0 },
    };
  }
  if (seen.spec.holderIdentity === by.identity) return { ...seen, spec: { ...seen.spec, ...mine } };
  const leaseTransitions = (seen.spec.leaseTransitions ?? 0) + 1;
  return { ...seen, spec: { ...seen.spec, ...mine, acquireTime: renewTime, leaseTransitions } };
};

/** The Lease as given back: without a holder, and expired within a second for those who look at its times. */
export const released = (lease: Lease, clock: Clock): Lease => {
  const renewTime = rfc3339Micro(clock.now());
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime } };
};
