// Conditions of a status, changed by the rules that readers of conditions rely on.
import { isEqualJson } from '../kube/patch.ts';

/** `metav1.Condition`, as far as every condition has it. A kind may add fields, such as `observedGeneration`. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
  /** RFC 3339; set here. */
  readonly lastTransitionTime?: string | undefined;
  /** RFC 3339; of older kinds, when the condition was last looked at. */
  readonly lastProbeTime?: string | undefined;
}

/**
 * When `lastTransitionTime` moves.
 * - `status`: when the status changes, as the Kubernetes API conventions have it.
 * - `content`: also when only reason or message does, as older kinds promise.
 */
export type TransitionRule = 'status' | 'content';

/**
 * The list with `next` in place of the condition of its type, or at the end where there is none. Order and the other
 * conditions stay. Where nothing but the times would change, the list itself is returned: a look at something is no
 * reason to write.
 */
export const setCondition = <C extends Condition>(
  list: readonly C[],
  next: C,
  when: { readonly nowText: string; readonly transition?: TransitionRule },
): readonly C[] => {
  const at = list.findIndex(({ type }) => type === next.type);
  const present = list[at];
  if (!present) return [...list, { ...next, lastTransitionTime: when.nowText }];
  if (isEqualJson(withoutTimes(present), withoutTimes(next))) return list;
  const moved = hasTransition(present, next, when.transition ?? 'status');
  const lastTransitionTime = moved ? when.nowText : (present.lastTransitionTime ?? when.nowText);
  return list.with(at, { ...next, lastTransitionTime });
};

const withoutTimes = ({ lastTransitionTime: _transition, lastProbeTime: _probe, ...rest }: Condition): object => rest;

const hasTransition = (present: Condition, next: Condition, rule: TransitionRule): boolean =>
  present.status !== next.status ||
  (rule === 'content' && (present.reason !== next.reason || present.message !== next.message));
