// The list and watch of one kind, answered by hand: a test says what a server in trouble would say.
import type { ServerResponse } from 'node:http';
import type { KubeObject } from '../../src/kube/object.ts';
import { answerJson, startScriptedServer, type ScriptedServer } from './scripted-server.ts';

/** One open (or ended) watch. */
export interface ScriptedStream {
  readonly query: URLSearchParams;
  /** Sends one event. */
  send(type: string, object: object): void;
  /** Sends the bookmark that ends the initial events. */
  sendInitialEnd(resourceVersion: string): void;
  /** Sends text as it is. */
  write(text: string): void;
  /** Ends the answer properly. */
  end(): void;
  /** Cuts the connection. */
  cut(): void;
  readonly closed: boolean;
}

/** The server and what it was asked. */
export interface ScriptedWatch {
  readonly server: ScriptedServer;
  readonly lists: URLSearchParams[];
  readonly streams: ScriptedStream[];
  /** Answers a list; by default an empty one at resourceVersion 1. */
  onList: (query: URLSearchParams, response: ServerResponse) => void;
  /** Answers a watch before it is accepted; returning true means that it did. */
  onWatch: (query: URLSearchParams, response: ServerResponse) => boolean;
}

/** Starts it; every watch is accepted and left open. */
export const startScriptedWatch = async (): Promise<ScriptedWatch> => {
  const lists: URLSearchParams[] = [];
  const streams: ScriptedStream[] = [];
  const server = await startScriptedServer(({ query }, response) => {
    if (query.get('watch') !== 'true') {
      lists.push(query);
      script.onList(query, response);
    } else if (!script.onWatch(query, response)) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      streams.push(streamOf(query, response));
    }
  });
  const script: ScriptedWatch = {
    server,
    lists,
    streams,
    onList: (_query, response) => answerList(response, [], { resourceVersion: '1' }),
    onWatch: () => false,
  };
  return script;
};

const streamOf = (query: URLSearchParams, response: ServerResponse): ScriptedStream => {
  const send = (type: string, object: object): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  return {
    query,
    send,
    sendInitialEnd: (resourceVersion) =>
      send('BOOKMARK', { metadata: { resourceVersion, annotations: { 'k8s.io/initial-events-end': 'true' } } }),
    write: (text) => void response.write(text),
    end: () => void response.end(),
    cut: () => void response.destroy(),
    get closed() {
      return response.closed;
    },
  };
};

/** Answers a list. */
export const answerList = (
  response: ServerResponse,
  items: readonly KubeObject[],
  metadata: { resourceVersion: string; continue?: string },
): void => answerJson(response, 200, { kind: 'List', apiVersion: 'v1', metadata, items });
