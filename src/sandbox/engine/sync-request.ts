// What a sync is asked to do, how far it comes, and Argo CD's words for that.
import type { AppProject } from '../../api/argocd/app-project.ts';
import type { Comparison } from './comparison.ts';
import type { HookRun } from './run-hooks.ts';
import { groupOf, type Application, type OperationState, type SyncedResource, type SyncOrder } from './shapes.ts';
import { objectOf, type Pair } from './sync-plan.ts';

/** What to sync, and how. */
export interface SyncRequest {
  readonly application: Application;
  readonly project: AppProject;
  readonly order: SyncOrder;
  readonly comparison: Comparison;
  /** When the sync began. */
  readonly startedAtMs: number;
  /** What it did in its earlier steps. */
  readonly former: readonly SyncedResource[];
  readonly signal: AbortSignal;
}

/** How far a sync has come. `Running` means that it waits: for a hook to complete, or a wave to become healthy. */
export interface SyncProgress {
  readonly phase: OperationState['phase'];
  readonly message: string;
  readonly resources: SyncedResource[];
}

/** The run that its hooks belong to. */
export const runOf = (request: SyncRequest): HookRun => ({ ...request, revision: request.comparison.revision });

/** How a step ends. */
export type Outcome = Pick<SyncProgress, 'phase' | 'message'>;

/** Something was not taken. */
export const REFUSED = 'one or more objects failed to apply';
/** Something was taken, and did not do well. */
export const UNSUCCESSFUL = 'one or more synchronization tasks completed unsuccessfully';

/** The failure and, as far as they are told, its reasons. */
export const failureOf = (message: string, reasons: readonly (string | undefined)[], mark = ', reason: '): Outcome => {
  const told = reasons.filter((reason) => reason).join(',');
  return { phase: 'Failed', message: told === '' ? message : `${message}${mark}${told}` };
};

/** Whether the cluster, or the rules, did not take an object. */
export const isRefused = ({ status }: SyncedResource): boolean => status === 'SyncFailed';

/** Argo CD's words for what a sync waits for: the first object, and how many more. */
export const waitingFor = (what: string, pairs: readonly Pair[]): Outcome => {
  const [first, ...more] = pairs.map(objectOf);
  const name = first ? `${groupOf(first.apiVersion)}/${first.kind}/${first.metadata.name}` : '';
  const others = what === 'completion of hook' ? 'hooks' : 'resources';
  const rest = more.length > 0 ? ` and ${more.length} more ${others}` : '';
  return { phase: 'Running', message: `waiting for ${what} ${name}${rest}` };
};
