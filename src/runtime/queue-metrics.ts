// What a work queue tells of itself, under client-go's names, so that existing dashboards and alerts read it.
import type { Clock } from '../lib/clock.ts';
import type { Metrics } from '../lib/metrics.ts';

/** The numbers of one queue. */
export interface QueueMetrics {
  added(): void;
  taken(waitedMs: number): void;
  worked(workedMs: number): void;
  retried(): void;
  /** The queue is over: nothing waits. */
  close(): void;
}

const DURATION_BUCKETS = [1e-4, 1e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60];

/** Creates them. `depth` and `sinceMs`, the starts of what runs in monotonic time, are asked when metrics are read. */
export const createQueueMetrics = (options: {
  readonly name: string;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly depth: () => number;
  readonly sinceMs: () => readonly number[];
}): QueueMetrics => {
  const { name, metrics, clock, depth, sinceMs } = options;
  const labels = ['name'];
  const of = { name };
  const counter = (metric: string, help: string) => metrics.counter({ name: `workqueue_${metric}`, help, labels });
  const gauge = (metric: string, help: string) => metrics.gauge({ name: `workqueue_${metric}`, help, labels });
  const histogram = (metric: string, help: string) =>
    metrics.histogram({ name: `workqueue_${metric}`, help, labels, buckets: DURATION_BUCKETS });

  const adds = counter('adds_total', 'Keys added');
  const retries = counter('retries_total', 'Keys added again after a failure');
  const waited = histogram('queue_duration_seconds', 'How long a key waits before it runs');
  const work = histogram('work_duration_seconds', 'How long one pass over a key takes');
  const waiting = gauge('depth', 'Keys that wait to run');
  const unfinished = gauge('unfinished_work_seconds', 'Time spent so far on the passes under way, all together');
  const longest = gauge('longest_running_processor_seconds', 'Time spent so far on the longest pass under way');

  for (const total of [adds, retries]) total.add(of, 0); // there from the first reading on
  const show = (keys: number, underWayMs: readonly number[]): void => {
    waiting.set(keys, of);
    unfinished.set(underWayMs.reduce((sum, one) => sum + one, 0) / 1000, of);
    longest.set(Math.max(0, ...underWayMs) / 1000, of);
  };
  const end = metrics.beforeScrape(() => {
    const nowMs = clock.monotonicMs();
    show(
      depth(),
      sinceMs().map((since) => nowMs - since),
    );
  });
  return {
    added: () => adds.add(of),
    taken: (waitedMs) => waited.observe(waitedMs / 1000, of),
    worked: (workedMs) => work.observe(workedMs / 1000, of),
    retried: () => retries.add(of),
    close() {
      end();
      show(0, []);
    },
  };
};
