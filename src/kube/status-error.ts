// What the API server says when it refuses: `metav1.Status` as a typed error.

/** `metav1.Status`, the body of every refusal. */
export interface KubeStatus {
  kind?: 'Status';
  apiVersion?: 'v1';
  status?: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    group?: string;
    kind?: string;
    uid?: string;
    causes?: { reason?: string; message?: string; field?: string }[];
    retryAfterSeconds?: number;
  };
}

/**
 * A refusal of the API server. `code` is the HTTP status; `reason` the `metav1.StatusReason` (`NotFound`, `Conflict`,
 * `AlreadyExists`, `Expired`, …), '' when the body was no Status. `retryAfterMs` comes from `Retry-After`.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: number;
  readonly reason: string;
  readonly status: KubeStatus;
  readonly retryAfterMs: number | undefined;

  constructor(code: number, status: KubeStatus, retryAfterMs?: number) {
    super(status.message ?? `the API server answered ${code}`);
    this.code = code;
    this.reason = status.reason ?? '';
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const isApiError = (error: unknown, code: number, reason?: string): error is ApiError =>
  error instanceof ApiError && error.code === code && (reason === undefined || error.reason === reason);

/** 401 Unauthorized, said by an API server: whoever calls is not known, or not any more. */
export const isUnauthorized = (error: unknown): error is ApiError => isApiError(error, 401, 'Unauthorized');
/** 404: the object, its namespace, or its kind is not there. */
export const isNotFound = (error: unknown): error is ApiError => isApiError(error, 404);
/** 409 Conflict: the `resourceVersion` or UID sent is not the present one. */
export const isConflict = (error: unknown): error is ApiError => isApiError(error, 409, 'Conflict');
/** 409 AlreadyExists: an object of that name is there. */
export const isAlreadyExists = (error: unknown): error is ApiError => isApiError(error, 409, 'AlreadyExists');
/** 410: the `resourceVersion` or continue token is too old. */
export const isGone = (error: unknown): error is ApiError => isApiError(error, 410);
/** 400 or 422: the object or query itself is not valid; sending it again can't help. */
export const isInvalid = (error: unknown): error is ApiError => isApiError(error, 422) || isApiError(error, 400);
