// What an answer, or the lack of one, means to the caller of the API.
import { DeadlineExceeded } from '../lib/abort.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import { isRecord } from './json.ts';
import { ApiError, type KubeStatus } from './status-error.ts';
import { ConnectionError, type TransportAnswer } from './transport.ts';

/** The JSON of a 2xx answer. @throws ApiError for any other status. */
export const valueOf = (answer: TransportAnswer, callName: string): unknown => {
  const refusal = refusalOf(answer);
  if (refusal) throw refusal;
  const value = parseJson(answer.body);
  if (value === undefined) throw unreadable(callName, 'JSON');
  return value;
};

/** The refusal that an answer is, or undefined for a 2xx one. */
export const refusalOf = ({ code, body, retryAfterMs }: TransportAnswer): ApiError | undefined => {
  if (code >= 200 && code < 300) return undefined;
  const value = parseJson(body);
  const status: KubeStatus = isRecord(value) && value['kind'] === 'Status' ? value : plainRefusal(code, body);
  const toldSeconds = status.details?.retryAfterSeconds;
  return new ApiError(code, status, retryAfterMs ?? (toldSeconds ? toldSeconds * 1000 : undefined));
};

/** A proxy, or a server that has not started yet, answers in plain text or HTML: its first words are kept. */
const plainRefusal = (code: number, body: Buffer): KubeStatus => {
  const words = body.subarray(0, 200).toString('utf8').replace(/\s+/g, ' ').trim();
  return { code, message: `the API server answered ${code}${words === '' ? '' : `: ${words}`}` };
};

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
};

/** An answer that is not `what` it has to be. */
export const unreadable = (callName: string, what: string): Fault =>
  new Fault('internal', 'ApiAnswerUnreadable', `the API server's answer to ${callName} is not ${what}`);

/** What a caller is told: refusals and faults as they are, a lost connection by what is known of the call's effect. */
export const outward = (error: unknown, call: { readonly method: string; readonly callName: string }): unknown => {
  if (error instanceof DeadlineExceeded) return new Fault('internal', 'ApiUnavailable', error.message);
  if (!(error instanceof ConnectionError)) return error;
  const options = { cause: error.cause };
  if (error.sent && call.method !== 'GET' && call.method !== 'DELETE') {
    const message = `no answer came to ${call.callName}, so whether it was done is not known: ${messageOf(error)}`;
    return new Fault('internal', 'ApiOutcomeUnknown', message, options);
  }
  if (error.cause instanceof DeadlineExceeded) return new Fault('internal', 'ApiUnavailable', error.message, options);
  const message = `the API server could not be reached for ${call.callName}: ${messageOf(error)}`;
  return new Fault('internal', 'ApiUnavailable', message, options);
};
