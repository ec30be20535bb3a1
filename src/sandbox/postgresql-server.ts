// One running `postgres` as a child process that never outlives its parent.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { withDeadline } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import { PROGRAM_ENVIRONMENT, type PostgresqlPrograms } from './postgresql-programs.ts';

const START_DEADLINE_MS = 60_000;
const PORT_ATTEMPTS = 5;
const WORDS_KEPT = 20;

/**
 * `postgres` reads nothing from its standard input, so a companion does: a line means "stop", and the end of file without
 * one that our own death left no time to say so; then the companion tidies up as well. When `postgres` has ended by
 * itself there is nothing to stop, and the rest is ours. Arguments: the folder of the programs, the data folder, the folder
 * to tidy up, the settings.
 */
const SCRIPT = `
programs=$1 data=$2 temporary=$3
shift 3
exec 3<&0 </dev/null
{
  read -r word <&3
  if "$programs/pg_ctl" stop --silent --mode=fast --pgdata="$data" >/dev/null 2>&1; then
    [ -n "$word" ] || rm -rf -- "$temporary" 2>/dev/null
  else
    kill -INT $$ 2>/dev/null
  fi
} &
exec 3<&-
exec "$programs/postgres" -D "$data" "$@"
`;

/** The account that a program runs under; undefined is ours. */
export type Account = { readonly uid: number; readonly gid: number } | undefined;

/** What a server is started on. */
export interface Cluster {
  readonly programs: PostgresqlPrograms;
  readonly account: Account;
  /** PostgreSQL's data folder. */
  readonly data: string;
  /** Removed when this process dies without stopping the server. */
  readonly temporary: string;
  /** PostgreSQL's settings besides the address and the time zone. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server that takes connections. */
export interface PostgresqlServer {
  /** On 127.0.0.1. */
  readonly port: number;
  /** Breaks the sessions off and waits until the last of its processes has ended. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a server on a free port. PostgreSQL can't choose a port itself and another process may take it first, hence
 * several attempts.
 * @throws Fault `internal`, `DatabaseNotStarted`, with PostgreSQL's own reason.
 */
export const startServer = async (
  cluster: Cluster,
  by: { readonly clock: Clock; readonly log?: Logger | undefined; readonly pickPort?: () => Promise<number> },
): Promise<PostgresqlServer> => {
  for (let attempt = 1; ; attempt += 1) {
    const port = await (by.pickPort ?? freePort)();
    const child = launch(cluster, port, by.log);
    try {
      await withDeadline({ clock: by.clock, deadlineMs: START_DEADLINE_MS, what: 'its start' }, child.whenReady);
      return { port, stop: child.stop };
    } catch (error) {
      await child.stop();
      const said = child.lastWords();
      if (attempt < PORT_ATTEMPTS && said.includes('Address already in use')) continue;
      const why = /FATAL: +(.*)/.exec(said)?.[1] ?? `${String(error)}; it said: ${said || 'nothing'}`;
      throw new Fault('internal', 'DatabaseNotStarted', `PostgreSQL did not start: ${why}`, { cause: error });
    }
  }
};

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

interface Child {
  /** Resolves once it takes connections; rejects when it ends before that or the signal aborts. */
  whenReady(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** The end of what it wrote. */
  lastWords(): string;
}

const launch = (cluster: Cluster, port: number, log: Logger | undefined): Child => {
  const { programs, account, data, temporary, settings } = cluster;
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', programs.folder, data, temporary, ...flagsOf(port, settings)], {
    ...account,
    cwd: '/', // ours may be closed to the account
    env: PROGRAM_ENVIRONMENT,
    detached: true, // a Ctrl-C of the terminal is for us alone
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const words: string[] = [];
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {}); // whoever waits hears of it; nobody may be waiting any more
  createInterface(child.stderr).on('line', (line) => {
    words.push(line);
    if (words.length > WORDS_KEPT) words.shift();
    log?.debug(line, { component: 'postgresql', port });
    if (line.includes('database system is ready to accept connections')) ready.resolve();
  });
  // Standard error closes when the last process that holds it is gone: PostgreSQL's own and the companion.
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const askToStop = (): void => void child.stdin.end('stop\n');
  child.stdin.on('error', () => {}); // it is gone already
  child.on('error', (error) => ready.reject(error));
  child.on('exit', (code, signal) => ready.reject(new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
  return {
    whenReady(signal) {
      signal.addEventListener('abort', () => ready.reject(signal.reason), { once: true });
      return ready.promise;
    },
    async stop() {
      askToStop();
      await closed;
    },
    lastWords: () => words.join('\n'),
  };
};

const flagsOf = (port: number, settings: Cluster['settings']): string[] =>
  Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    port: String(port),
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_min_error_statement: 'panic', // a statement may hold what no log may
    ...settings,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
