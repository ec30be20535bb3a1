// Which manifests are hooks, when they run, and how far a live one is. Pure; the rules are Argo CD's.
import type { KubeObject } from '../../kube/object.ts';
import { at, textAt } from './fields.ts';
import { healthOf } from './health.ts';
import type { SyncOrder } from './shapes.ts';

/** When a hook runs; plain objects belong to `Sync`. `SyncFail` hooks run when the sync failed. */
export type SyncPhase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail';

/** The phases in which objects are applied, in their order. */
export const PHASES: readonly SyncPhase[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail'];

/** When a hook's object is deleted. */
export type HookDeletion = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed';

const HOOK = 'argocd.argoproj.io/hook';
const DELETION = 'argocd.argoproj.io/hook-delete-policy';
const HELM_HOOK = 'helm.sh/hook';
const HELM_DELETION = 'helm.sh/hook-delete-policy';
const DELETIONS: readonly HookDeletion[] = ['BeforeHookCreation', 'HookSucceeded', 'HookFailed'];

/** Helm's names for the phases; its other hooks never run. */
const HELM_PHASES: Readonly<Record<string, SyncPhase>> = {
  'pre-install': 'PreSync',
  'pre-upgrade': 'PreSync',
  'post-install': 'PostSync',
  'post-upgrade': 'PostSync',
};

const wordsOf = (object: KubeObject, annotation: string): readonly string[] =>
  (object.metadata.annotations?.[annotation] ?? '').split(',').map((word) => word.trim());

/** Whether the object stands in Git only to be left alone: it is neither applied nor counted. */
export const isSkipped = (object: KubeObject): boolean => wordsOf(object, HOOK).join() === 'Skip';

/** Whether the object is a hook: no part of what the Application keeps in the cluster. */
export const isHook = (object: KubeObject): boolean => {
  const annotations = object.metadata.annotations ?? {};
  if (HOOK in annotations) return !isSkipped(object);
  return HELM_HOOK in annotations && annotations[HELM_HOOK] !== 'crd-install';
};

/** The phases in which the hook runs, in their order; none for one that Argo CD doesn't know. */
export const hookPhases = (hook: KubeObject): readonly SyncPhase[] => {
  const own = wordsOf(hook, HOOK);
  const helm = wordsOf(hook, HELM_HOOK).map((word) => HELM_PHASES[word]);
  const named = HOOK in (hook.metadata.annotations ?? {}) ? own : helm;
  return PHASES.filter((phase) => named.includes(phase));
};

const spoken = (policy: string): string => policy.replaceAll('-', '').toLowerCase();

/** When the hook's object is deleted: before its next run, if nothing is said. */
export const hookDeletions = (hook: KubeObject): readonly HookDeletion[] => {
  const words = [...wordsOf(hook, DELETION), ...wordsOf(hook, HELM_DELETION)].map(spoken);
  const found = DELETIONS.filter((policy) => words.includes(spoken(policy)));
  return found.length > 0 ? found : ['BeforeHookCreation'];
};

/** Whether a sync runs hooks: not one of chosen objects, and not one that only applies. */
export const runsHooks = ({ resources, syncStrategy }: SyncOrder): boolean =>
  !resources?.length && syncStrategy?.apply === undefined;

/** How far a hook is. */
export interface HookState {
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
  readonly message: string;
}

/** How far the hook is, by the health of its object; a kind without a health succeeds by being there. */
export const hookStateOf = (live: KubeObject): HookState => {
  const health = healthOf(live);
  const { status, message = '' } = health ?? { status: 'Healthy' };
  const unseen = health !== undefined && at(live, 'status') === undefined; // its controller has not looked yet
  if (unseen || status === 'Progressing' || status === 'Suspended') return { phase: 'Running', message };
  return { phase: status === 'Healthy' ? 'Succeeded' : 'Failed', message };
};

/** The hook's name in this run: its own, or one that is made from `generateName` and is the same in each step of the run. */
export const hookName = (
  hook: KubeObject,
  run: { readonly phase: SyncPhase; readonly revision: string; readonly startedAtMs: number },
): string => {
  const seconds = Math.floor(run.startedAtMs / 1000);
  const ending = `${run.revision.slice(0, 7)}-${run.phase}-${seconds}`.toLowerCase();
  return hook.metadata.name || `${textAt(hook, 'metadata', 'generateName')}${ending}`;
};
