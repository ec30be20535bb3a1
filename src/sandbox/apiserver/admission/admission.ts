// Admission: webhooks are asked about a write before it is kept. Nothing is held while they think: what they were asked about
// may change meanwhile, and then they are asked again.
import { messageOf } from '../../../lib/fault.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import type { Later } from '../later.ts';
import type { ApiObject } from '../kinds/kind.ts';
import type { Registry } from '../kinds/registry.ts';
import { keepAtOnce } from '../objects/objects.ts';
import type { StagedWrite } from '../objects/staging.ts';
import { applyJsonPatch } from '../patch/patch-json.ts';
import { deniedByWebhook, internalErrorOf } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';
import type { Attributes } from './attributes.ts';
import { CallFailed, createCaller, type ResolveService } from './call.ts';
import { createMatching, type Invocation, type Phase } from './matching.ts';
import { BadVerdict, readVerdict, reviewOf, type Verdict } from './review.ts';

/** A write, and how it is staged: again and again while others come in between. */
export interface AdmittedWrite {
  readonly attributes: Omit<Attributes, 'existing'>;
  readonly stage: () => StagedWrite;
}

/** Carries writes out as far as webhooks let them. */
export interface Admission {
  /** Keeps a write: at once where nobody is to be asked. Throws or rejects with `ApiError`. */
  carryOut(write: AdmittedWrite): Later<ApiObject>;
  stop(): void;
}

/** Heeds a verdict: its warnings, and that it may be a denial. */
const heed = (verdict: Verdict | undefined, name: string, { warn }: Attributes): void => {
  for (const warning of verdict?.warnings ?? []) warn(warning);
  if (verdict && !verdict.allowed) throw deniedByWebhook(name, verdict.status);
};

const patched = (staged: StagedWrite, object: ApiObject, patch: unknown): ApiObject => {
  try {
    return staged.decode(applyJsonPatch(object, patch));
  } catch (error) {
    throw internalErrorOf(messageOf(error));
  }
};

/** Creates admission by the webhooks whose configurations are stored. */
export const createAdmission = (parts: {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly resolveService?: ResolveService | undefined;
}): Admission => {
  const { random } = parts;
  const matching = createMatching(parts);
  const caller = createCaller(parts);

  /** A webhook's verdict; undefined where it could not be had, and that does not matter. */
  const ask = async (
    phase: Phase,
    invocation: Invocation,
    about: { readonly attributes: Attributes; readonly object: ApiObject },
  ): Promise<Verdict | undefined> => {
    const uid = random.uuid();
    const { hook, name } = invocation;
    try {
      return readVerdict(await caller.call(hook, reviewOf(uid, invocation, about)), { uid, phase });
    } catch (error) {
      if (!(error instanceof CallFailed) && !(error instanceof BadVerdict)) throw error;
      if (hook['failurePolicy'] === 'Ignore') return undefined;
      const what = error instanceof BadVerdict ? `received invalid webhook response: ${error.message}` : error.message;
      throw internalErrorOf(`failed calling webhook ${JSON.stringify(name)}: ${what}`);
    }
  };

  /** One after the other: each sees what those before it have made of the object. */
  const mutated = async (staged: StagedWrite, attributes: Attributes): Promise<ApiObject> => {
    let object = staged.asked;
    for (const hook of matching.hooks('mutating')) {
      const invocation = matching.invocation(hook, attributes, object);
      if (!invocation) continue;
      const verdict = await ask('mutating', invocation, { attributes, object });
      heed(verdict, invocation.name, attributes);
      if (verdict?.patch !== undefined) object = patched(staged, object, verdict.patch);
    }
    return object;
  };

  const validated = async (object: ApiObject, attributes: Attributes): Promise<void> => {
    const invocations = matching
      .hooks('validating')
      .flatMap((hook) => matching.invocation(hook, attributes, object) ?? []);
    const asked = invocations.map(async (invocation) => ({
      verdict: await ask('validating', invocation, { attributes, object }),
      name: invocation.name,
    }));
    for (const { verdict, name } of await Promise.all(asked)) heed(verdict, name, attributes);
  };

  const reviewed = async ({ attributes, stage }: AdmittedWrite, first: StagedWrite): Promise<ApiObject> => {
    for (let staged = first; ; staged = stage()) {
      const { existing } = staged;
      const about = existing ? { ...attributes, existing } : attributes;
      const completed = staged.complete(await mutated(staged, about));
      await validated(completed, about);
      if (staged.isCurrent()) return staged.keep(completed);
    }
  };

  return {
    carryOut(write) {
      const staged = write.stage();
      return matching.concerns(write.attributes) ? reviewed(write, staged) : keepAtOnce(staged);
    },
    stop: () => caller.stop(),
  };
};
