// A real Argo CD without a cluster that could run it: its two servers and redis as processes on loopback.
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemRandom } from '../../src/lib/random.ts';
import { eventually } from '../kit/eventually.ts';
import { freePort, type Programs } from '../kit/programs.ts';
import type { Kubectl } from './kubectl.ts';
import type { Tools } from './tools.ts';

/** Where it runs, and for whom. */
export interface ArgoCdOptions {
  readonly programs: Programs;
  readonly tools: Pick<Tools, 'argoCd' | 'argoCdKinds' | 'kustomize'>;
  /** A file; Argo CD acts with its rights, and `in-cluster` is its cluster. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  readonly namespace: string;
  readonly path: string | undefined;
  /** What its ConfigMaps would tell of Git servers. */
  readonly trusted: {
    /** Name or address of a server → authorities that its certificate may be from, as PEM. */
    readonly authorities: Readonly<Record<string, string>>;
    /** Keys of servers, as in ssh's `known_hosts`. */
    readonly knownHosts: string;
  };
}

const READY_WITHIN_MS = 60_000;
/** How often Argo CD looks at a repository by itself, and how long it trusts what it saw, in seconds. */
const RESYNC_SECONDS = 15;
const REVISION_SECONDS = 5;

const configMaps = [
  'argocd-rbac-cm',
  'argocd-cmd-params-cm',
  'argocd-gpg-keys-cm',
  'argocd-ssh-known-hosts-cm',
  'argocd-tls-certs-cm',
];

const partOf = { 'app.kubernetes.io/part-of': 'argocd' };

/** What Argo CD expects to find in its namespace. */
const objectsIn = (namespace: string): unknown[] => [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  ...configMaps.map((name) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels: partOf } })),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'argocd-cm', namespace, labels: partOf }, data: {} },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'argocd-secret', namespace, labels: partOf },
    stringData: { 'server.secretkey': systemRandom.uuid() },
  },
  {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: { name: 'default', namespace },
    spec: {
      sourceRepos: ['*'],
      destinations: [{ namespace: '*', server: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
    },
  },
];

const AUTHORITIES = 'authorities.pem';

/** Has Argo CD trust an authority of clusters; before it has met the first cluster that it knows by none. Returns the file. */
export const trustAuthority = (programs: Programs, ca: string): Promise<string> => programs.file(AUTHORITIES, ca);

/** Starts it, and waits until it serves. */
export const startArgoCd = async ({ programs, tools, ...options }: ArgoCdOptions): Promise<void> => {
  const { kubeconfig, kubectl, namespace } = options;
  await kubectl([
    'apply',
    '--server-side',
    ...['application', 'appproject', 'applicationset'].map(
      (kind) => `-f${join(tools.argoCdKinds, `${kind}-crd.yaml`)}`,
    ),
  ]);
  await kubectl([
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    'crd/applications.argoproj.io',
    'crd/appprojects.argoproj.io',
  ]);
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsIn(namespace) }));

  const [redis, repository, metrics, repositoryMetrics] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const environment = await environmentFor(programs, { ...options, tools });
  const server = async (name: string, flags: Readonly<Record<string, string>>): Promise<void> => {
    const file = join(programs.folder, name);
    await symlink(tools.argoCd, file); // the name decides which server it is
    programs.start({ file, environment, flags: { loglevel: 'info', redis: `127.0.0.1:${redis}`, ...flags } });
  };
  programs.start({
    file: 'redis-server',
    words: ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
  });
  await server('argocd-repo-server', {
    port: String(repository),
    address: '127.0.0.1',
    'metrics-port': String(repositoryMetrics),
    'metrics-address': '127.0.0.1',
    'disable-tls': 'true',
    'revision-cache-expiration': `${REVISION_SECONDS}s`,
  });
  await server('argocd-application-controller', {
    kubeconfig,
    namespace,
    'repo-server': `127.0.0.1:${repository}`,
    'repo-server-plaintext': 'true',
    'metrics-port': String(metrics),
    'app-resync': String(RESYNC_SECONDS),
  });
  const seen = await eventually(
    'Argo CD serves',
    async () =>
      programs.fallen() ?? ((await serves(repositoryMetrics)) && (await serves(metrics)) ? 'serves' : undefined),
    READY_WITHIN_MS,
  );
  if (seen !== 'serves') throw new Error(seen);
};

const serves = async (port: number): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).ok;

const environmentFor = async (
  programs: Programs,
  options: Pick<ArgoCdOptions, 'kubeconfig' | 'path' | 'trusted'> & { readonly tools: ArgoCdOptions['tools'] },
): Promise<NodeJS.ProcessEnv> => {
  const folder = async (name: string): Promise<string> => {
    const made = join(programs.folder, name);
    await mkdir(made);
    return made;
  };
  const { kubeconfig, path, trusted, tools } = options;
  const ssh = await folder('argocd-ssh');
  await writeFile(join(ssh, 'ssh_known_hosts'), trusted.knownHosts);
  const tls = await folder('argocd-tls');
  for (const [host, ca] of Object.entries(trusted.authorities)) await writeFile(join(tls, host), ca);
  return {
    PATH: `${tools.kustomize}:${dirname(tools.argoCd)}:${path ?? ''}`, // git asks `argocd` for passwords
    HOME: await folder('argocd-home'),
    TMPDIR: await folder('argocd-tmp'),
    KUBECONFIG: kubeconfig,
    ARGOCD_FAKE_IN_CLUSTER: 'true', // `in-cluster` is the cluster of the kubeconfig
    ARGOCD_TLS_DATA_PATH: tls,
    ARGOCD_SSH_DATA_PATH: ssh,
    SSL_CERT_FILE: join(programs.folder, AUTHORITIES), // read when it first needs one
    ARGOCD_ASK_PASS_SOCK: join(programs.folder, 'ask-pass.sock'),
    ARGOCD_GNUPGHOME: await folder('argocd-gnupg'),
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_PLUGINSOCKFILEPATH: await folder('argocd-plugins'),
    ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH: 'true', // as Argo CD 2 does by itself
  };
};
