// A real control plane on loopback: kube-apiserver with its etcd and, where there is one, kube-controller-manager.
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ClusterAccess } from '../../src/kube/kubeconfig.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { createServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';
import { connect } from '../contract/connection.ts';
import { eventually } from './eventually.ts';
import { kubeconfigText } from './kubeconfig-text.ts';
import { freePort, type Programs } from './programs.ts';

/** Where the programs are. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string | undefined;
}

/** A control plane that runs until its programs are stopped. */
export interface ControlPlane {
  /** Of its administrator; YAML without references to files. */
  readonly kubeconfig: string;
  /** Each request but those of the control plane itself, as JSON lines. */
  readonly auditLog: string;
  /** The authority of the API server's certificate, as PEM. */
  readonly ca: string;
}

const READY_WITHIN_MS = 90_000;

type Address = Pick<ClusterAccess, 'server' | 'ca'>;

/** Who asked for what, once it is answered; what a watch answers comes when it begins. */
const auditPolicy = toYaml({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', users: ['system:apiserver'] }, { level: 'Metadata' }],
});

const startEtcd = async (programs: Programs, file: string): Promise<string> => {
  const [port, peerPort] = await Promise.all([freePort(), freePort()]);
  const url = `http://127.0.0.1:${port}`;
  programs.start({
    file,
    flags: {
      'data-dir': 'etcd',
      'unsafe-no-fsync': 'true',
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': `http://127.0.0.1:${peerPort}`,
    },
  });
  return url;
};

const ACCOUNTS_KEY = 'accounts.key';
const AUDIT_LOG = 'audit.log';
const CLIENT_CA = { certificate: 'client-ca.crt', key: 'client-ca.key' };

/** Makes the authority that signs the certificates of users, for the control plane to do so when it is asked. */
const makeClientAuthority = async ({ folder }: Programs): Promise<void> => {
  const files = ['-keyout', CLIENT_CA.key, '-out', CLIENT_CA.certificate];
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=clients', '-days', '30', ...files];
  await promisify(execFile)('openssl', words, { cwd: folder });
};

const startApiServer = async (
  programs: Programs,
  { file, etcd }: { readonly file: string; readonly etcd: string },
): Promise<Address & { readonly adminToken: string; readonly ca: string }> => {
  const port = await freePort();
  const adminToken = systemRandom.uuid();
  const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1', 'localhost'], random: systemRandom });
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await makeClientAuthority(programs);
  const accounts = await programs.file(ACCOUNTS_KEY, privateKey.export({ type: 'pkcs1', format: 'pem' }));
  programs.start({
    file,
    flags: {
      'etcd-servers': etcd,
      'secure-port': String(port),
      'bind-address': '127.0.0.1',
      'tls-cert-file': await programs.file('server.crt', certificate + ca),
      'tls-private-key-file': await programs.file('server.key', key),
      'token-auth-file': await programs.file('tokens.csv', `${adminToken},admin,admin,"system:masters"\n`),
      'client-ca-file': CLIENT_CA.certificate,
      'authorization-mode': 'RBAC',
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-signing-key-file': accounts,
      'service-account-key-file': accounts,
      'service-cluster-ip-range': '10.0.0.0/24',
      'disable-admission-plugins': 'ServiceAccount',
      'audit-policy-file': await programs.file('audit-policy.yaml', auditPolicy),
      'audit-log-path': join(programs.folder, AUDIT_LOG),
    },
  });
  return { server: `https://127.0.0.1:${port}`, ca, adminToken };
};

/** With the administrator's rights: with fewer, its garbage collector may not delete what Argo CD leaves to it. */
const startControllers = async (programs: Programs, file: string, kubeconfig: string): Promise<void> => {
  programs.start({
    file,
    flags: {
      kubeconfig: await programs.file('controllers.kubeconfig', kubeconfig),
      'service-account-private-key-file': ACCOUNTS_KEY,
      'cluster-signing-cert-file': CLIENT_CA.certificate,
      'cluster-signing-key-file': CLIENT_CA.key,
      'leader-elect': 'false',
      'bind-address': '127.0.0.1',
      'secure-port': String(await freePort()),
    },
  });
};

/** Starts the programs on loopback and waits until they answer. @throws with the end of a log where one fails. */
export const startControlPlane = async (programs: Programs, files: ControlPlanePrograms): Promise<ControlPlane> => {
  const etcd = await startEtcd(programs, files.etcd);
  const { adminToken, ...address } = await startApiServer(programs, { file: files.apiServer, etcd });
  const kubeconfig = kubeconfigText({ ...address, token: adminToken });
  await becomesReady(kubeconfig, programs.fallen);
  if (files.controllerManager) await startControllers(programs, files.controllerManager, kubeconfig);
  return {
    kubeconfig,
    auditLog: join(programs.folder, AUDIT_LOG),
    ca: address.ca,
  };
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
