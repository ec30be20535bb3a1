// A real PostgreSQL for the demo and the tests, started from whatever programs the machine or a package offers.
import { execFile } from 'node:child_process';
import { chown, lchown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Clock } from '../lib/clock.ts';
import { Fault } from '../lib/fault.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { findPostgresql, majorOf, PROGRAM_ENVIRONMENT, type PostgresqlPrograms } from './postgresql-programs.ts';
import { startServer, type Account } from './postgresql-server.ts';

const run = promisify(execFile);

/** Data that nobody keeps needn't survive a crash of the machine. */
const THROW_AWAY_SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** How a database is started. */
export interface DatabaseOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Logger;
  /** Keeps the data from start to start. Without it the database lives in a temporary folder that `stop` removes. */
  readonly directory?: string | undefined;
  /** Insists on the machine's own PostgreSQL or on the package's; by default the first, else the second. */
  readonly source?: 'system' | 'package' | undefined;
  /** Where to look for the machine's own, as in the environment's PATH; the usual places are looked at as well. */
  readonly searchPath?: string | undefined;
  /** PostgreSQL's settings besides ours, such as `max_connections`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A database that runs. */
export interface RunningDatabase {
  /** The superuser's, with the password: `postgresql://postgres:…@127.0.0.1:…/postgres`. */
  readonly url: string;
  /** PostgreSQL's, such as `18.4`. */
  readonly version: string;
  /** Breaks the sessions off, waits for PostgreSQL to end and removes what was temporary. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL that listens on 127.0.0.1 and a free port, with a password, and keeps time in UTC.
 *
 * *Guarantees*: it ends when this process does, even by SIGKILL; a Ctrl-C of the terminal reaches only this process,
 * which can then stop things in its own order. As root, PostgreSQL runs under an account without rights.
 * @throws Fault `user` when there is no PostgreSQL or the data is another release's, `internal` when it doesn't start.
 */
export const startDatabase = async (options: DatabaseOptions): Promise<RunningDatabase> => {
  const account = await findAccount();
  const temporary = await mkdtemp(join(await temporaryRoot(account), 'managed-gitops-database-'));
  const tidyUp = (): Promise<void> => rm(temporary, { recursive: true, force: true });
  try {
    const programs = await findPostgresql({ ...options, copyTo: join(temporary, 'programs') });
    await giveAll(temporary, account);
    const directory = options.directory ?? temporary;
    const password = await prepareData(directory, { programs, account, random: options.random });
    const settings = { ...(options.directory === undefined && THROW_AWAY_SETTINGS), ...options.settings };
    const cluster = { programs, account, data: join(directory, 'data'), temporary, settings };
    const { port, stop } = await startServer(cluster, { clock: options.clock, log: options.log });
    const url = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
    return { url, version: programs.version, stop: () => stop().then(tidyUp) };
  } catch (error) {
    await tidyUp();
    throw error;
  }
};

/** PostgreSQL refuses root: then it gets the account made for it, or the one that everyone's rights are enough for. */
const findAccount = async (): Promise<Account> => {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const [user, group] = await Promise.all(
        ['-u', '-g'].map((flag) => run('id', [flag, name], { env: PROGRAM_ENVIRONMENT })),
      );
      return { uid: Number(user?.stdout), gid: Number(group?.stdout) };
    } catch {
      // No such account here: the next name.
    }
  }
  throw new Fault(
    'user',
    'NoUnprivilegedAccount',
    'PostgreSQL refuses to run as root, and this machine has no account "postgres" or "nobody": run as an ordinary user',
  );
};

/** The folder for temporary files, unless only root may pass through it. */
const temporaryRoot = async (account: Account): Promise<string> => {
  if (!account) return tmpdir();
  for (let folder = tmpdir(); folder !== dirname(folder); folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o1) === 0) return '/tmp';
  }
  return tmpdir();
};

const give = async (path: string, account: Account): Promise<void> => {
  if (account) await chown(path, account.uid, account.gid);
};

/** So that the account may remove it all when we have no time to. */
const giveAll = async (folder: string, account: Account): Promise<void> => {
  if (!account) return;
  await give(folder, account);
  for (const entry of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, entry), account.uid, account.gid);
  }
};

interface DataOwner {
  readonly programs: PostgresqlPrograms;
  readonly account: Account;
  readonly random: Random;
}

/** Makes the data folder, or takes the one that is there. Returns the superuser's password. */
const prepareData = async (directory: string, owner: DataOwner): Promise<string> => {
  const data = join(directory, 'data');
  const passwordFile = join(directory, 'password');
  const madeBy = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (madeBy !== undefined) {
    refuseOtherRelease(directory, madeBy.trim(), owner.programs.version);
    return readFile(passwordFile, 'utf8');
  }
  await mkdir(directory, { recursive: true });
  await give(directory, owner.account);
  const password = owner.random.uuid().replaceAll('-', '');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await give(passwordFile, owner.account);
  // Under its final name only when whole: a start that was killed half-way is then made again.
  const unfinished = join(directory, 'data.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await initialise(unfinished, passwordFile, owner);
  await rename(unfinished, data);
  return password;
};

const refuseOtherRelease = (directory: string, madeBy: string, version: string): void => {
  if (majorOf(madeBy) === majorOf(version)) return;
  throw new Fault(
    'user',
    'OtherPostgresqlRelease',
    `the database in ${directory} was made by PostgreSQL ${madeBy}, but the one found is ${version}: name another folder`,
  );
};

const initialise = async (data: string, passwordFile: string, owner: DataOwner): Promise<void> => {
  const fixed = ['--username=postgres', '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-sync'];
  const initdb = join(owner.programs.folder, 'initdb');
  try {
    await run(initdb, [...fixed, `--pwfile=${passwordFile}`, `--pgdata=${data}`], {
      ...owner.account,
      cwd: '/',
      env: PROGRAM_ENVIRONMENT,
    });
  } catch (error) {
    const why = /error: (.*)/.exec(String(error))?.[1] ?? String(error);
    throw new Fault('internal', 'DatabaseNotStarted', `PostgreSQL made no data folder: ${why}`, { cause: error });
  }
};
