// One request for admission and its answer: which path, which method, how much body, and what is counted.
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { doors, type Door } from './doors.ts';
import { readReview, writeReview } from './review.ts';

/** What is sent back: a review as JSON, or one sentence. */
export interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The most that a body may hold. A review has an object twice, as it was and as it is to be, each as large as the API
 * server takes it (3 MiB); with less, a large object could not even lose its finalizer.
 */
const BODY_LIMIT_BYTES = 7 * 1024 * 1024;

type Result = 'allowed' | 'denied' | 'malformed' | 'failed';

const DURATION_BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];

const sentence = (code: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  code,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body: `${text}\n`,
});

/** The body as text; undefined where it is too long, and the rest is left unread. */
const readBody = async (message: IncomingMessage): Promise<string | undefined> => {
  if (Number(message.headers['content-length'] ?? 0) > BODY_LIMIT_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > BODY_LIMIT_BYTES) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** A request that is no review: its answer, or undefined. */
const refusal = ({ method, headers }: IncomingMessage): Answer | undefined => {
  if (method !== 'POST') return sentence(405, 'reviews are posted', { allow: 'POST' });
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  return type === 'application/json' ? undefined : sentence(415, 'a review is application/json');
};

const judged = (door: Door, body: string): { readonly result: Result; readonly answer: Answer } => {
  const request = readReview(body);
  const verdict = 'malformed' in request ? request : door.judge(request);
  if ('malformed' in request || 'malformed' in verdict) {
    const { malformed } = 'malformed' in verdict ? verdict : { malformed: '' }; // one of both is
    return { result: 'malformed', answer: sentence(400, malformed) };
  }
  return {
    result: verdict.denial === undefined ? 'allowed' : 'denied',
    answer: {
      code: 200,
      headers: { 'content-type': 'application/json' },
      body: writeReview(request.uid, verdict.denial),
    },
  };
};

/** Creates the function that answers requests. It never fails, and nothing of a body goes anywhere but into the answer. */
export const createAnswering = ({
  clock,
  log,
  metrics,
}: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}): ((message: IncomingMessage) => Promise<Answer>) => {
  const reviews = metrics.counter({
    name: 'managed_gitops_admission_reviews_total',
    help: 'Requests for admission by kind and result',
    labels: ['kind', 'result'],
  });
  const seconds = metrics.histogram({
    name: 'managed_gitops_admission_review_seconds',
    help: 'How long a request for admission takes',
    labels: ['kind'],
    buckets: DURATION_BUCKETS,
  });

  const answerAt = async (
    door: Door,
    message: IncomingMessage,
  ): Promise<{ readonly result: Result; readonly answer: Answer }> => {
    const refused = refusal(message);
    if (refused) return { result: 'malformed', answer: refused };
    const body = await readBody(message);
    if (body !== undefined) return judged(door, body);
    const answer = sentence(413, `a review has at most ${BODY_LIMIT_BYTES} bytes`, { connection: 'close' });
    return { result: 'malformed', answer };
  };

  return async (message) => {
    const path = message.url?.split('?', 1)[0];
    const door = doors.find((one) => one.path === path);
    if (!door) return sentence(404, 'nothing is admitted here');
    const startMs = clock.monotonicMs();
    const { result, answer } = await answerAt(door, message).catch((error: unknown) => {
      // One that broke off in the middle is nobody's fault here.
      log[message.complete ? 'error' : 'debug']('a request for admission could not be answered', {
        kind: door.kind,
        err: error,
      });
      return { result: 'failed' as const, answer: sentence(500, 'internal error') };
    });
    reviews.add({ kind: door.kind, result });
    seconds.observe((clock.monotonicMs() - startMs) / 1000, { kind: door.kind });
    return answer;
  };
};
