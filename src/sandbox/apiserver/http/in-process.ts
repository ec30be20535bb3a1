// Requests that never leave the process: the standard Request and Response around the API.
import type { Api } from '../api.ts';
import { mediaType, type RawRequest } from './exchange.ts';
import type { Stream } from '../objects/watching.ts';

const asReadable = (stream: Stream): ReadableStream<string> => {
  let stop = (): void => undefined;
  return new ReadableStream<string>({
    start(controller) {
      stop = stream({
        write(text) {
          controller.enqueue(text);
          return true;
        },
        end: () => controller.close(),
      });
    },
    cancel: () => stop(),
  });
};

/** Answers a standard request as the user whom the token names. */
export const answerInProcess = async (call: { api: Api; token: string; request: Request }): Promise<Response> => {
  const { api, token, request } = call;
  const url = new URL(request.url);
  const translated: RawRequest = {
    method: request.method,
    path: url.pathname,
    query: url.searchParams,
    accept: request.headers.get('accept') ?? '',
    contentType: mediaType(request.headers.get('content-type')),
    authorization: `Bearer ${token}`,
    body: Buffer.from(await request.arrayBuffer()),
  };
  const { status, headers, body } = await api.answer(translated);
  if (typeof body === 'string') return new Response(body, { status, headers });
  return new Response(asReadable(body).pipeThrough(new TextEncoderStream()), { status, headers });
};
