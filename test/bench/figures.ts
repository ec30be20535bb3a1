// Figures by name, and what is made of many of them.

/** Figures by name; the unit stands at the end of the name. Undefined where there is nothing to read it from. */
export type Figures = Readonly<Record<string, number>>;

/** The value that a share of the samples does not exceed (nearest rank). NaN without samples. */
export const percentile = (samples: readonly number[], share: number): number => {
  const sorted = samples.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
};

/** The middle one; of an even number the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
};

/** p50, p90 and p99 of latencies in milliseconds. */
export const latencies = (name: string, samples: readonly number[]): Figures => ({
  [`${name}.p50Ms`]: percentile(samples, 0.5),
  [`${name}.p90Ms`]: percentile(samples, 0.9),
  [`${name}.p99Ms`]: percentile(samples, 0.99),
});

/** The same figures with a word before each name. */
export const prefixed = (prefix: string, figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${prefix}.${name}`, value]));

/** The median of each figure over several runs. */
export const medians = (runs: readonly Figures[]): Figures => {
  const names = new Set(runs.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries([...names].map((name) => [name, median(runs.flatMap((figures) => figures[name] ?? []))]));
};
