// Prometheus metrics. The only place that knows the metrics library.
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** Label values by label name. Values come from small fixed sets; never a user's text. */
export type Labels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface CounterMetric {
  add(labels?: Labels, by?: number): void;
}

/** A number that goes up and down. */
export interface GaugeMetric {
  set(value: number, labels?: Labels): void;
  add(by: number, labels?: Labels): void;
}

/** A distribution; durations are in seconds, as Prometheus has it. */
export interface HistogramMetric {
  observe(value: number, labels?: Labels): void;
}

/** Describes a metric. */
export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The registry of one process. Asking twice for one name gives the same metric. */
export interface Metrics {
  counter(options: MetricOptions): CounterMetric;
  gauge(options: MetricOptions): GaugeMetric;
  /** `buckets` are upper bounds in the unit of the name. */
  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): HistogramMetric;
  /** Calls `update` before each reading, for numbers that change by themselves. Returns the function that ends this. */
  beforeScrape(update: () => void): () => void;
  /** The Prometheus text format. */
  text(): Promise<string>;
}

/** Creates a registry; `processMetrics` adds those of Node.js and the process, which watch it all the time: in production only. */
export const createMetrics = (options: { processMetrics?: boolean } = {}): Metrics => {
  const registry = new Registry();
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const known = new Map<string, unknown>();
  const updates = new Set<() => void>();
  const once = <M>(name: string, make: () => M): M => {
    if (!known.has(name)) known.set(name, make());
    return known.get(name) as M; // one name, one kind of metric: the caller's own constant
  };
  const config = ({ name, help, labels = [] }: MetricOptions) => ({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  return {
    counter: (metric) =>
      once(metric.name, () => {
        const counter = new Counter(config(metric));
        if (!metric.labels?.length) counter.inc(0);
        return { add: (labels = {}, by = 1) => counter.inc(labels, by) };
      }),
    gauge: (metric) =>
      once(metric.name, () => {
        const gauge = new Gauge(config(metric));
        return {
          set: (value, labels = {}) => gauge.set(labels, value),
          add: (by, labels = {}) => gauge.inc(labels, by),
        };
      }),
    histogram: (metric) =>
      once(metric.name, () => {
        const histogram = new Histogram({ ...config(metric), buckets: [...metric.buckets] });
        return { observe: (value, labels = {}) => histogram.observe(labels, value) };
      }),
    beforeScrape(update) {
      const mine = (): void => update(); // of its own, also when the same function is given twice
      updates.add(mine);
      return () => void updates.delete(mine);
    },
    async text() {
      for (const update of updates) update();
      return registry.metrics();
    },
  };
};
