// A watch's bytes as events: one JSON object a line.
import { Fault } from '../lib/fault.ts';
import type { WatchEvent } from './client.ts';
import { isRecord } from './json.ts';

/** Longer lines than this break the watch: etcd holds no object near it. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The events of a watch, in order. Lines are cut by bytes, so a character of several bytes may lie across two chunks.
 * @throws Fault('internal', 'ApiAnswerUnreadable') when the stream ends inside a line or a line is no event.
 */
export async function* watchEvents<T>(chunks: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent<T>> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, end));
      const line = parts.length === 1 ? parts[0]! : Buffer.concat(parts); // one was just pushed
      parts = [];
      bytes = 0;
      from = end + 1;
      if (line.length > 0) yield parseEvent<T>(line);
    }
    if (from === chunk.length) continue;
    parts.push(chunk.subarray(from));
    bytes += chunk.length - from;
    if (bytes > MAX_LINE_BYTES) throw broken(`a line is longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (bytes > 0) throw broken('the stream ended inside a line');
}

const broken = (message: string): Fault => new Fault('internal', 'ApiAnswerUnreadable', message);

const types = new Set<unknown>(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

const parseEvent = <T>(line: Buffer): WatchEvent<T> => {
  const event = ((): unknown => {
    try {
      return JSON.parse(line.toString('utf8'));
    } catch {
      throw broken('a line is not JSON');
    }
  })();
  if (!isRecord(event) || !types.has(event['type']) || !isRecord(event['object'])) throw broken('a line is no event');
  return event as unknown as WatchEvent<T>; // the object's own shape is the API server's promise
};
