// Serves the repositories of a folder over HTTP or HTTPS on loopback, through git's own `http-backend`.
import { spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A running server. */
export interface GitHttpServer {
  /** `http://<host>:<port>`, or `https://`; a repository is at `<url>/<folder>/.git` or `<url>/<name>.git`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Turns the CGI answer (headers, an empty line, the body) into an HTTP answer. */
const forward = (output: Buffer, response: ServerResponse): void => {
  const end = output.indexOf('\r\n\r\n');
  const headers = output.subarray(0, Math.max(end, 0)).toString().split('\r\n');
  for (const line of headers) {
    const [name = '', value = ''] = line.split(/:\s*/, 2);
    if (name.toLowerCase() === 'status') response.statusCode = Number.parseInt(value, 10);
    else if (name) response.setHeader(name, value);
  }
  response.end(output.subarray(end + 4));
};

interface Served {
  readonly root: string;
  readonly searchPath: string;
}

const serve = ({ root, searchPath }: Served, request: IncomingMessage, response: ServerResponse): void => {
  const url = new URL(request.url ?? '/', 'http://host');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: searchPath,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stdin.on('error', () => undefined); // it has ended before it read all
  child.on('error', () => response.writeHead(500).end());
  child.on('close', () => forward(Buffer.concat(output), response));
  response.on('close', () => child.kill());
  request.pipe(child.stdin);
};

/** How the server is run, and how it differs from one that shows all to everybody. */
export interface GitHttpOptions {
  /** Where git is found, as in PATH. */
  readonly searchPath: string;
  /** An address of this machine; loopback unless given. */
  readonly host?: string | undefined;
  /** Speaks TLS with this certificate. */
  readonly tls?: ServerOptions;
  /** Asks for this user and password on each request. */
  readonly login?: { readonly username: string; readonly password: string };
}

/** Starts the server over the folder `root`, on any free port. */
export const startGitHttpServer = async (root: string, options: GitHttpOptions): Promise<GitHttpServer> => {
  const { searchPath, host = '127.0.0.1', tls, login } = options;
  const wanted = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (wanted === undefined || request.headers.authorization === wanted)
      return serve({ root, searchPath }, request, response);
    response.writeHead(401, { 'www-authenticate': 'Basic realm="git"', 'content-type': 'text/plain' });
    response.end('fatal: repository not found\n'); // what a server writes decides nothing
  };
  const server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
  return {
    url: `${tls ? 'https' : 'http'}://${host}:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
