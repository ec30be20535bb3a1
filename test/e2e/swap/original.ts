// The original's two programs, started as its own manifests start them.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { freePort, type Program, type Programs } from '../../kit/programs.ts';
import { isReady, type Half } from '../service.ts';

/** The files of the original's halves. */
export type OriginalPrograms = Readonly<Record<Half, string>>;

/**
 * What `ORIGINAL_BACKEND` and `ORIGINAL_AGENT` name; undefined where neither is set.
 * @throws where only one of them is.
 */
export const originalPrograms = (environment: NodeJS.ProcessEnv): OriginalPrograms | undefined => {
  const { ORIGINAL_BACKEND: backend, ORIGINAL_AGENT: agent } = environment;
  if (backend && agent) return { backend, agent };
  if (!backend && !agent) return undefined;
  throw new Error(
    `${backend ? 'ORIGINAL_AGENT' : 'ORIGINAL_BACKEND'} is missing: a swap takes both of the original's halves`,
  );
};

/** Where the original runs. */
export interface OriginalOptions {
  readonly files: OriginalPrograms;
  readonly programs: Programs;
  /** A file: the administrator's. Its rights are not what is tested. */
  readonly kubeconfig: string;
  readonly databaseUrl: string;
  readonly argocdNamespace: string;
  /** The folder of its migrations; without it, it finds that its database is at its last version. */
  readonly migrations: string | undefined;
}

/** The original, ready to be started. */
export interface Original {
  /** Starts a half; returns when it is ready. */
  start(half: Half): Promise<Program>;
  /** Ends what stands between it and the database. */
  stop(): Promise<void>;
}

/** The original knows one port of PostgreSQL, so it gets a loopback address of its own. */
const DATABASE = { host: '127.0.0.54', port: 5432 } as const;

/** Prepares what the original expects to find on its machine. */
export const prepareOriginal = async (options: OriginalOptions): Promise<Original> => {
  const { files, programs, kubeconfig, databaseUrl, argocdNamespace } = options;
  const database = new URL(databaseUrl);
  const stop = await relay(database);
  const directory = await prepareFolder(options);
  const environment: NodeJS.ProcessEnv = {
    PATH: process.env['PATH'],
    HOME: programs.folder,
    KUBECONFIG: kubeconfig,
    ARGO_CD_NAMESPACE: argocdNamespace,
    DB_ADDR: DATABASE.host,
    DB_PASS: database.password,
    POSTGRESQL_DATABASE: database.pathname.slice(1),
    DEV_ONLY_ALLOW_NON_TLS_CONNECTION_TO_POSTGRESQL: 'true',
    ENABLE_APPPROJECT_ISOLATION: 'true',
    DISABLE_APPSTUDIO_WEBHOOK: 'true',
    SELF_HEAL_INTERVAL: '0', // it would repair what a swap has broken
  };
  return {
    stop,
    async start(half) {
      const port = await freePort();
      const program = programs.start({
        name: `original-${half}`,
        file: files[half],
        // Without --leader-elect: that asks for a pod to run in.
        flags: { 'health-probe-bind-address': `127.0.0.1:${port}`, 'metrics-bind-address': '0' },
        environment,
        directory,
      });
      await isReady(program.name, port);
      return program;
    },
  };
};

/** It looks for its migrations beside the folder that it works in. */
const prepareFolder = async ({ programs, migrations }: OriginalOptions): Promise<string> => {
  const [directory, beside] = [join(programs.folder, 'original'), join(programs.folder, 'utilities/db-migration')];
  await mkdir(directory);
  await mkdir(beside, { recursive: true });
  const found = join(beside, 'migrations');
  if (migrations) {
    await symlink(migrations, found);
    return directory;
  }
  await mkdir(found);
  for (const way of ['up', 'down']) await writeFile(join(found, `000020_done.${way}.sql`), 'select 1;\n');
  return directory;
};

/** Stands between the original and its database; ending it cuts what is open. */
const relay = async (to: URL): Promise<() => Promise<void>> => {
  const open = new Set<Socket>();
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  };
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    keep(client);
    keep(upstream);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(DATABASE.port, DATABASE.host, resolve);
  });
  return async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  };
};
