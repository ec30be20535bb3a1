// Figures as a table for people.
import type { Figures } from './figures.ts';

/** A number in so many digits as say something. */
export const shown = (value: number | undefined): string => {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
};

/** Rows in columns: the first to the left, the rest to the right. */
export const columns = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
};

/** A table of the medians, and of each run beside them where there are several. */
export const figuresTable = (median: Figures, runs: readonly Figures[]): string => {
  const several = runs.length > 1;
  const heads = [
    'figure',
    several ? 'median' : 'value',
    ...(several ? runs.map((_, index) => `run ${index + 1}`) : []),
  ];
  const rows = Object.keys(median).map((name) => [
    name,
    shown(median[name]),
    ...(several ? runs.map((figures) => shown(figures[name])) : []),
  ]);
  return columns([heads, ...rows]);
};

interface VersionFigures {
  readonly version: string;
  readonly median: Figures;
}

/** A table of the medians of two versions, and how many times the second's the first's are. */
export const comparisonTable = (mine: VersionFigures, other: VersionFigures): string =>
  columns([
    ['figure', mine.version, other.version, 'ratio'],
    ...Object.keys({ ...mine.median, ...other.median }).map((name) => {
      const [one, another] = [mine.median[name], other.median[name]];
      return [name, shown(one), shown(another), shown((one ?? NaN) / (another ?? NaN))];
    }),
  ]);
