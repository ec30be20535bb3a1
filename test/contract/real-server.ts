// A real kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names, for one run of the suite.
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../../src/lib/random.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { createServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';
import { eventually } from '../kit/eventually.ts';
import { connect } from './connection.ts';

/** A server that runs until it is stopped. */
export interface RealServer {
  readonly kubeconfig: string;
  /** Whether the folder has a kube-controller-manager too. */
  readonly controllers: boolean;
  stop(): Promise<void>;
}

const READY_WITHIN_MS = 90_000;

/** A port that was free a moment ago. */
const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo; // it listens on a port, not on a pipe
      server.close(() => resolve(port));
    });
  });

const kubeconfigFor = (access: { url: string; ca: string; token: string }): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'real',
    clusters: [
      {
        name: 'real',
        cluster: { server: access.url, 'certificate-authority-data': Buffer.from(access.ca).toString('base64') },
      },
    ],
    users: [{ name: 'admin', user: { token: access.token } }],
    contexts: [{ name: 'real', context: { cluster: 'real', user: 'admin' } }],
  });

interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
}

/** The files of a run, in a folder of its own, and the programs that were started with them. */
const createRun = (assets: string, folder: string) => {
  const programs: Program[] = [];
  return {
    file: async (name: string, content: string | Buffer): Promise<string> => {
      const path = join(folder, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    start(program: string, flags: Readonly<Record<string, string>>): void {
      const log = openSync(join(folder, `${program}.log`), 'a');
      const words = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
      const child = spawn(join(assets, program), words, { stdio: ['ignore', log, log], cwd: folder });
      closeSync(log);
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
      programs.push({ child, ended });
    },
    /** The first program that is no longer running, with the end of its log. */
    fallen(): string | undefined {
      const { child } = programs.find((program) => program.child.exitCode !== null) ?? {};
      if (!child) return undefined;
      const name = child.spawnfile.slice(assets.length + 1);
      return `${name} ended: ${readFileSync(join(folder, `${name}.log`), 'utf8').slice(-2000)}`;
    },
    async stop(): Promise<void> {
      for (const { child, ended } of programs.toReversed()) {
        child.kill('SIGKILL'); // nothing of it is kept, so nothing has to be put in order
        await ended;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
};

type Run = ReturnType<typeof createRun>;

const startEtcd = async (run: Run): Promise<string> => {
  const [port, peerPort] = await Promise.all([freePort(), freePort()]);
  const url = `http://127.0.0.1:${port}`;
  run.start('etcd', {
    'data-dir': 'etcd',
    'unsafe-no-fsync': 'true',
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
  });
  return url;
};

/** Starts the API server; the kubeconfig of its administrator. */
const startApiServer = async (run: Run, etcd: string): Promise<string> => {
  const port = await freePort();
  const token = systemRandom.uuid();
  const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1', 'localhost'], random: systemRandom });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const accounts = await run.file('accounts.key', privateKey.export({ type: 'pkcs1', format: 'pem' }));
  run.start('kube-apiserver', {
    'etcd-servers': etcd,
    'secure-port': String(port),
    'bind-address': '127.0.0.1',
    'tls-cert-file': await run.file('server.crt', certificate + ca),
    'tls-private-key-file': await run.file('server.key', key),
    'token-auth-file': await run.file('tokens.csv', `${token},admin,admin,"system:masters"\n`),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': accounts,
    'service-account-key-file': accounts,
    'service-cluster-ip-range': '10.0.0.0/24',
    'disable-admission-plugins': 'ServiceAccount',
  });
  return kubeconfigFor({ url: `https://127.0.0.1:${port}`, ca, token });
};

const startControllers = async (run: Run, kubeconfig: string): Promise<void> =>
  run.start('kube-controller-manager', {
    kubeconfig: await run.file('kubeconfig', kubeconfig),
    'service-account-private-key-file': 'accounts.key',
    'leader-elect': 'false',
    'bind-address': '127.0.0.1',
    'secure-port': String(await freePort()),
  });

/** Starts the programs on loopback and waits until they answer. Throws with the end of a log where one fails. */
export const startRealServer = async (assets: string): Promise<RealServer> => {
  const run = createRun(assets, await mkdtemp(join(tmpdir(), 'contract-')));
  const controllers = existsSync(join(assets, 'kube-controller-manager'));
  try {
    const kubeconfig = await startApiServer(run, await startEtcd(run));
    await becomesReady(kubeconfig, run.fallen);
    if (controllers) await startControllers(run, kubeconfig);
    return { kubeconfig, controllers, stop: run.stop };
  } catch (error) {
    await run.stop();
    throw error;
  }
};

const becomesReady = async (kubeconfig: string, fallen: () => string | undefined): Promise<void> => {
  const connection = connect(kubeconfig);
  try {
    const seen = await eventually(
      'the API server is ready',
      async () => fallen() ?? ((await connection.ask('GET', '/readyz')).code === 200 ? 'ready' : undefined),
      READY_WITHIN_MS,
    );
    if (seen !== 'ready') throw new Error(seen);
  } finally {
    connection.close();
  }
};
