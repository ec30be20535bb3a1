// Why another cluster could not be called.
import { excerpt } from '../domain/excerpt.ts';
import { ApiError } from '../kube/status-error.ts';
import { DeadlineExceeded } from '../lib/abort.ts';
import { Fault } from '../lib/fault.ts';
import { connectCause, errorChain } from '../lib/go-connect-cause.ts';

/** True for what a call to a cluster can end with; anything else is a defect of ours. */
export const isCallFailure = (error: unknown): boolean =>
  error instanceof ApiError || error instanceof Fault || error instanceof DeadlineExceeded;

/**
 * The cause of a failed call, fit for a condition: without anything that a server said which is no API server, so that
 * nobody reads another service's answers by way of us.
 */
export const remoteCause = (error: unknown): string => {
  const chain = errorChain(error);
  if (chain.some((one) => one instanceof DeadlineExceeded)) return 'context deadline exceeded';
  const refusal = chain.find((one) => one instanceof ApiError);
  if (refusal) return refusalText(refusal);
  const cause = connectCause(error, excerpt);
  if (cause !== undefined) return cause;
  const unreadable = chain.find((one) => one instanceof Fault && one.reason === 'ApiAnswerUnreadable');
  return unreadable ? unreadable.message : 'the connection failed';
};

const refusalText = ({ code, reason, message }: ApiError): string => {
  if (code >= 300 && code < 400) return `the server answered ${code}, and redirects are not followed`;
  return reason === '' ? `the server answered ${code}` : message;
};
