// What the demo is shown on, and how it looks for what is to be seen.
import type { Queryable } from '../../db/sql.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { isNotFound } from '../../kube/status-error.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/fault.ts';

/** On what the demo is shown, and to whom. */
export interface Stage {
  readonly client: KubeClient;
  readonly db: Queryable;
  readonly clock: Clock;
  readonly write: (line: string) => void;
  readonly namespace: string;
  readonly engineNamespace: string;
  /** How long each step may take before the demo gives up and names it. Milliseconds. */
  readonly stepMs: number;
  readonly signal: AbortSignal;
}

/** One thing to be seen: what it is called, and how to look for it. A look gives undefined until there is something. */
export interface Sight {
  readonly name: string;
  readonly look: () => Promise<string | undefined>;
}

/** An object of the demo that tells how it stands, in its conditions. */
export interface Subject {
  readonly kind: string;
  readonly read: () => Promise<Conditioned | undefined>;
}

const LOOK_EVERY_MS = 20;

/**
 * Looks for all sights at once, and tells each in its order with the time at which it was first seen.
 * @throws Fault('internal', 'DemoStepMissed') naming the first that was not seen in time, with what the subject says.
 */
export const see = async (stage: Stage, subject: Subject, sights: readonly Sight[]): Promise<void> => {
  const { clock, write } = stage;
  const startMs = clock.monotonicMs();
  const looks = sights.map((sight) => lookFor(stage, sight, startMs));
  for (const look of looks) look.catch(() => undefined); // told below, in order
  for (const [index, look] of looks.entries()) {
    const name = sights[index]?.name ?? '';
    const seen = await look;
    if (!seen) throw await missed(stage, subject, name);
    write(`  ${`+${Math.round(seen.afterMs)} ms`.padStart(10)}  ${name.padEnd(18)} ${seen.text}`);
  }
};

/** Undefined when it was not seen in time. */
const lookFor = async (
  { clock, stepMs, signal }: Stage,
  { look }: Sight,
  startMs: number,
): Promise<{ text: string; afterMs: number } | undefined> => {
  for (;;) {
    const text = await look();
    const afterMs = clock.monotonicMs() - startMs;
    if (text !== undefined) return { text, afterMs };
    if (afterMs > stepMs) return undefined;
    await sleep(clock, LOOK_EVERY_MS, signal);
  }
};

/** Names the step, and what the object itself says. */
const missed = async ({ stepMs }: Stage, { kind, read: readSubject }: Subject, step: string): Promise<Fault> => {
  const said = conditionOf(await readSubject(), 'Ready')?.message;
  const status = said ? `; the ${kind} says: ${said}` : '';
  return new Fault('internal', 'DemoStepMissed', `the step "${step}" was not seen within ${stepMs / 1000} s${status}`);
};

/** Reads an object; undefined where there is none. */
export const read = async <T extends KubeObject>(
  client: KubeClient,
  resource: ResourceType<T>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<T | undefined> => {
  try {
    return await client.get(resource, ref);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/** Where an object is. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

/** What has conditions to look at. */
export interface Conditioned {
  readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined;
}

/** The condition of a type. */
export const conditionOf = (object: Conditioned | undefined, type: string): Condition | undefined =>
  object?.status?.conditions?.find((condition) => condition.type === type);

/** What an object that is Ready says. */
export const readyMessage = (object: Conditioned | undefined): string | undefined => {
  const ready = conditionOf(object, 'Ready');
  return ready?.status === 'True' ? `Ready: ${ready.message ?? ''}` : undefined;
};
