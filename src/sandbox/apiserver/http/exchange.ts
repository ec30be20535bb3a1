// A request and its answer, apart from how they travel.
import type { ApiError } from '../../../kube/status-error.ts';
import type { Later } from '../later.ts';
import { protobufType, readProtobuf } from './protobuf.ts';
import type { Stream } from '../objects/watching.ts';

/** A request as it came, its body read to the end. */
export interface RawRequest extends Omit<ApiRequest, 'body'> {
  readonly body: Buffer;
}

/** A request with its body as text. */
export interface ApiRequest {
  readonly method: string;
  /** The path, not yet decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  /** The media type of the body without parameters; '' when there is none. */
  readonly contentType: string;
  readonly authorization: string;
  readonly body: string;
}

/** An answer: JSON or plain text at once, or a stream of lines. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Stream;
}

/** An answer, at once or once somebody outside was asked. */
export type Answering = Later<ApiResponse>;

/** The media type of a header, without its parameters. */
export const mediaType = (header: string | null | undefined): string => (header ?? '').split(';')[0]?.trim() ?? '';

/** The request with its body as JSON text, protobuf translated. Throws where it can't be. */
export const readableRequest = (request: RawRequest): ApiRequest =>
  request.contentType === protobufType
    ? { ...request, contentType: 'application/json', body: JSON.stringify(readProtobuf(request.body)) }
    : { ...request, body: request.body.toString('utf8') };

/** An answer whose JSON is written already. */
export const writtenResponse = (json: string, status = 200, headers: Record<string, string> = {}): ApiResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: json,
});

/** A JSON answer. */
export const jsonResponse = (value: unknown, status?: number, headers?: Record<string, string>): ApiResponse =>
  writtenResponse(JSON.stringify(value), status, headers);

/** A plain text answer. */
export const textResponse = (text: string): ApiResponse => ({
  status: 200,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: text,
});

/** A stream of JSON lines. */
export const streamResponse = (body: Stream): ApiResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body,
});

/** The answer that says no. */
export const refusalResponse = (error: ApiError): ApiResponse => {
  const seconds = error.status.details?.retryAfterSeconds;
  const body = { metadata: {}, ...error.status };
  return jsonResponse(body, error.code, seconds === undefined ? {} : { 'retry-after': String(seconds) });
};
