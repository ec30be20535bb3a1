// What the rules of every kind have in common, at the door and in a pass: asked in order, the first that is broken decides.
import type { Reason } from '../api/reasons.ts';
import type { Fault } from '../lib/fault.ts';
import { GoUrlError, parseRequestUri, type GoUrl } from '../lib/go-url.ts';

/** What admission is asked about; everything else is let through. */
export type AdmittedOperation = 'CREATE' | 'UPDATE';

/** What one kind says at the door: a fault whose message is the denial, or undefined where the object may come in. */
export type Admit<T> = (object: T, operation: AdmittedOperation) => Fault<Reason> | undefined;

/** One rule: its fault where it is broken. */
export type Rule<A extends readonly unknown[]> = (...about: A) => Fault<Reason> | undefined;

/** The fault of the first rule that is broken. */
export const firstBroken = <A extends readonly unknown[]>(
  rules: readonly Rule<A>[],
  ...about: A
): Fault<Reason> | undefined => {
  for (const rule of rules) {
    const fault = rule(...about);
    if (fault) return fault;
  }
  return undefined;
};

/** A URL as Go's request URI rules have it, or Go's words about why it is none. */
export const readRequestUri = (text: string): { readonly url: GoUrl } | { readonly refusal: string } => {
  try {
    return { url: parseRequestUri(text) };
  } catch (error) {
    if (error instanceof GoUrlError) return { refusal: error.message };
    throw error;
  }
};
