// What is promised about speed, and whether the figures of a bench keep it.
import type { Figures } from './figures.ts';
import { columns, shown } from './table.ts';

/** A promise: a figure that is at most so much. */
interface Promised {
  readonly figure: string;
  readonly says: string;
  atMost(figures: Figures): number;
}

/** A promise that could be judged. */
export interface Verdict {
  readonly says: string;
  readonly figure: string;
  readonly value: number;
  readonly atMost: number;
  readonly holds: boolean;
}

const most =
  (value: number): Promised['atMost'] =>
  () =>
    value;

const promised: readonly Promised[] = [
  {
    figure: 'steady.application.p99Ms',
    says: 'deployment to Application, steady: 100 ms, or 5 floors where that is more',
    atMost: (figures) => Math.max(100, 5 * (figures['floor.p50Ms'] ?? 0)),
  },
  { figure: 'steady.status.p99Ms', says: 'Application status to deployment status, while creating', atMost: most(500) },
  {
    figure: 'status.status.p99Ms',
    says: 'Application status to deployment status, while reporting',
    atMost: most(500),
  },
  { figure: 'burst.sqlPerDeployment', says: 'SQL transactions for a created deployment', atMost: most(6) },
  { figure: 'burst.apiPerDeployment', says: 'API requests for a created deployment', atMost: most(5) },
  { figure: 'idle.sqlPerSecond', says: 'SQL transactions a second, idle', atMost: most(1) },
  { figure: 'noisy.ratio.p99', says: "quiet tenant's p99 beside a flood, to that alone", atMost: most(2) },
  { figure: 'stuck.ratio.p99', says: "others' p99 beside stuck deletions, to that without", atMost: most(2) },
  { figure: 'delete.left', says: 'objects and rows left behind', atMost: most(0) },
  { figure: 'scale.memoryMiB', says: 'memory of both halves with all deployments there, MiB', atMost: most(512) },
  { figure: 'scale.ratio.cpu', says: 'CPU for a deployment among many, to that among few', atMost: most(1.3) },
  { figure: 'scale.ratio.sql', says: 'SQL transactions, likewise', atMost: most(1.3) },
  { figure: 'scale.ratio.api', says: 'API requests, likewise', atMost: most(1.3) },
];

/** Judges the promises that there are figures for. */
export const judge = (figures: Figures): readonly Verdict[] =>
  promised.flatMap(({ figure, says, atMost: bound }) => {
    const value = figures[figure];
    if (value === undefined || Number.isNaN(value)) return [];
    const atMost = bound(figures);
    return [{ says, figure, value, atMost, holds: value <= atMost }];
  });

/** The verdicts as a table. */
export const verdictTable = (verdicts: readonly Verdict[]): string =>
  columns([
    ['promise', 'figure', 'measured', 'at most', 'holds'],
    ...verdicts.map(({ says, figure, value, atMost, holds }) => [
      says,
      figure,
      shown(value),
      shown(atMost),
      holds ? 'yes' : 'NO',
    ]),
  ]);
