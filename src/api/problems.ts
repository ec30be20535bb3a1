// Whether a value fits a schema, said in the words of the API.
import type { z } from 'zod';

/** One place where a value does not fit. `path` is written as in `kubectl`: `.spec.source.path`, `.items[0]`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** Every place where `value` does not fit `schema`; empty when it does. The value itself is left as it is. */
export const problemsOf = (schema: z.ZodType, value: unknown): Problem[] =>
  (schema.safeParse(value).error?.issues ?? []).map(({ path, message }) => ({
    path: path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('') || '.',
    message,
  }));
