// Checks outside: asked for by lanes, run side by side with a cap for each tenant, their results noted in the rows.
import { noteCheck, type LinkedKind } from '../db/queries/resource-link.ts';
import type { Database } from '../db/pool.ts';
import { utcText, type Clock } from '../lib/clock.ts';
import { isFault, messageOf } from '../lib/fault.ts';
import type { Controller, Reconcile } from '../runtime/controller.ts';

/** What a lane wants to know. */
export interface Question<Wish> {
  /** Of the lane's object. */
  readonly uid: string;
  /** Of all that the answer depends on. */
  readonly inputHash: string;
  readonly wish: Wish;
}

/** Asks the other side. @throws Fault('user') with what the team has to mend; anything else is tried again. */
export type Check<Wish, Found> = (question: Question<Wish>, signal: AbortSignal) => Promise<Found>;

/** The checks of one kind. */
export interface Checks<Wish, Found> {
  readonly controller: Controller;
  /** The number of a lane's last answer; to be read before what the lane is judged by. */
  lastAnswer(lane: string): number;
  /**
   * Asks a question for a lane, which is woken by the answer. One that is being answered already is not asked twice; nor is
   * one of a pass that began before the last answer: the answer has woken the lane, and may have made the question needless.
   */
  ask(lane: string, question: Question<Wish>, seenAnswer: number): void;
  /** What was brought last for a lane's object, as long as this process lives and nobody forgets it. */
  foundFor(lane: string, uid: string): Found | undefined;
  /**
   * What answers have brought for a lane and nobody can use any more: for another object than `current`, or for something else
   * than `current` has asked last. Undefined stands for an object that has gone. Answers after `seenAnswer` are left out.
   */
  leftBehind(lane: string, current: Asked | undefined, seenAnswer: number): readonly Brought<Found>[];
  /** True while a question about this object is open, or something that was brought for it is neither used nor forgotten. */
  isBusy(uid: string): boolean;
  /** Forgets one thing that an answer has brought; anything else is nothing to it. */
  forgetFound(lane: string, found: unknown): void;
  /** Forgets a lane. */
  forget(lane: string): void;
}

/** An object and what it asked, as in `Question`. */
export interface Asked {
  readonly uid: string;
  readonly inputHash: string | undefined;
}

/** What a good answer has brought, and for what. */
export interface Brought<Found> extends Asked {
  readonly found: Found;
}

/** What checks take. */
export interface ChecksOptions<Wish, Found> {
  readonly kind: LinkedKind;
  readonly db: Database;
  readonly clock: Clock;
  readonly check: Check<Wish, Found>;
  readonly loop: (reconcile: Reconcile) => Controller;
  readonly wake: (lane: string) => void;
}

/** Longest message that is kept, in characters. */
const MAX_MESSAGE = 4096;

/** Creates the checks of one kind. A restart forgets what was asked: the lanes ask again. */
export const createChecks = <Wish, Found>(options: ChecksOptions<Wish, Found>): Checks<Wish, Found> => {
  const { kind, db, clock, check, wake } = options;
  const asked = new Map<string, Question<Wish>>();
  const answers = new Map<string, number>();
  let answerCount = 0;
  const brought = new Map<string, readonly (Brought<Found> & { answer: number | undefined })[]>();

  const lastOf = (lane: string, uid: string): Brought<Found> | undefined =>
    brought.get(lane)?.findLast((one) => one.uid === uid);

  const answer = async (
    lane: string,
    question: Question<Wish>,
    signal: AbortSignal,
  ): Promise<{ reason: string; message: string }> => {
    try {
      const found = await check(question, signal);
      const { uid, inputHash } = question;
      const all = brought.get(lane) ?? [];
      if (found !== undefined) brought.set(lane, [...all, { uid, inputHash, found, answer: undefined }]);
      return { reason: '', message: '' };
    } catch (error) {
      if (!isFault(error, 'user')) throw error;
      return { reason: error.reason, message: messageOf(error).slice(0, MAX_MESSAGE) };
    }
  };
  const controller = options.loop(async (lane, { signal }) => {
    const question = asked.get(lane);
    if (!question) return;
    const found = await answer(lane, question, signal);
    const { uid, inputHash } = question;
    await noteCheck(db, { kind, uid, inputHash, ...found, now: utcText(clock.now()) });
    answerCount += 1;
    answers.set(lane, answerCount);
    for (const one of brought.get(lane) ?? []) one.answer ??= answerCount;
    if (asked.get(lane) === question) asked.delete(lane);
    wake(lane);
  });
  return {
    controller,
    lastAnswer: (lane) => answers.get(lane) ?? 0,
    ask(lane, question, seenAnswer) {
      if (seenAnswer !== (answers.get(lane) ?? 0)) return;
      const open = asked.get(lane);
      if (open && sameQuestion(open, question)) return;
      asked.set(lane, question);
      controller.enqueue(lane);
    },
    foundFor: (lane, uid) => lastOf(lane, uid)?.found,
    leftBehind(lane, current, seenAnswer) {
      const last = current && lastOf(lane, current.uid);
      const kept = last?.inputHash === current?.inputHash ? last : undefined;
      return (brought.get(lane) ?? []).filter((one) => one !== kept && (one.answer ?? Infinity) <= seenAnswer);
    },
    isBusy: (uid) =>
      [...asked.values()].some((question) => question.uid === uid) ||
      [...brought.values()].some((all) => all.some((one) => one.uid === uid)),
    forgetFound(lane, found) {
      const left = (brought.get(lane) ?? []).filter((one) => one.found !== found);
      if (left.length > 0) brought.set(lane, left);
      else brought.delete(lane);
    },
    forget(lane) {
      brought.delete(lane);
      answers.delete(lane);
    },
  };
};

const sameQuestion = (one: Question<unknown>, other: Question<unknown>): boolean =>
  one.uid === other.uid && one.inputHash === other.inputHash;
