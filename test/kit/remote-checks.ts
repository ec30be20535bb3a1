// Checks of another cluster in tests: the embedded API server as that cluster, or a server whose answers a test writes.
import { afterEach, beforeEach } from 'vitest';
import { createAddressGuard, parseAllowedAddresses } from '../../src/backend/address-guard.ts';
import type { RemoteContext } from '../../src/backend/remote-client.ts';
import { checkEnvironment, type CheckedEnvironment, type EnvironmentCheck } from '../../src/backend/remote-cluster.ts';
import type { EnvironmentWish } from '../../src/domain/environment-wish.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { isFault } from '../../src/lib/fault.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { seededRandom } from '../../src/lib/random.ts';
import { createServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';
import { silentLog } from './captured-log.ts';
import { eventually } from './eventually.ts';
import { startSandboxApi, type SandboxApi } from './sandbox-api.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** UID of the environment that is checked. */
export const uid = '6f1f4f0e-2f0a-4b39-9b3f-0d2a6a1c1b11';
/** The ServiceAccount that is made for it. */
export const account = `argocd-manager-${uid}`;

/** Where things are that are made for it. */
export const paths = {
  account: `/api/v1/namespaces/kube-system/serviceaccounts/${account}`,
  secrets: '/api/v1/namespaces/kube-system/secrets',
  role: `/apis/rbac.authorization.k8s.io/v1/clusterroles/argocd-manager-cluster-role-${uid}`,
  binding: `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/argocd-manager-cluster-role-binding-${uid}`,
} as const;

/** A certificate for 127.0.0.1 of an authority that nobody knows. */
export const strangeTls = (() => {
  const { certificate, key, ca } = createServerCertificate({ hosts: ['127.0.0.1'], random: seededRandom(9) });
  return { key, certificate, cert: certificate + ca };
})();

/** What a check works with: the machine's clock, every address allowed. */
export const contextWith = (changes: Partial<RemoteContext> = {}): RemoteContext => ({
  clock: systemClock,
  random: seededRandom(3),
  gate: openGate,
  log: silentLog,
  metrics: createMetrics(),
  addresses: createAddressGuard(parseAllowedAddresses('all')),
  deadlineMs: 10_000,
  ...changes,
});

interface Asked extends Partial<EnvironmentCheck> {
  readonly context?: Partial<RemoteContext>;
}

/** A check of the environment. */
export const check = (wish: EnvironmentWish, { context = {}, ...of }: Asked = {}): Promise<CheckedEnvironment> =>
  checkEnvironment(contextWith(context), wish, { uid, signal: new AbortController().signal, ...of });

/** A wish for the cluster at a URL, with a token that no message may show. */
export const wishAt = (host: string, changes: Partial<EnvironmentWish> = {}): EnvironmentWish => ({
  host,
  insecure: true,
  namespaces: '',
  clusterResources: false,
  newServiceAccount: false,
  access: { server: host, token: 't0ken-canary' },
  inputHash: '',
  ...changes,
});

/** Reason and text of what a check ends with. */
export const faultOf = async (checked: Promise<unknown>): Promise<[string, string]> => {
  try {
    await checked;
  } catch (error) {
    if (isFault(error, 'user')) return [error.reason, error.message];
    throw error;
  }
  throw new Error('all was well');
};

/** The result of a check that waits on the virtual clock, which is moved on meanwhile. */
export const resultAfterMs = async <T>(clock: VirtualClock, ms: number, checked: Promise<T>): Promise<T> => {
  checked.catch(() => undefined); // the caller looks at it
  await eventually('the check waits', () => clock.pending > 0);
  await clock.advance(ms);
  return checked;
};

/** The embedded API server as the other cluster. */
interface RemoteCluster {
  readonly api: SandboxApi;
  readonly admin: KubeClient;
  /** Starts it anew, with other settings. */
  restart(settings: NonNullable<Parameters<typeof startSandboxApi>[0]>['settings']): Promise<void>;
  /** A wish for it, with the administrator's kubeconfig. */
  wish(changes?: Partial<EnvironmentWish>): EnvironmentWish;
  withToken(token: string): KubeClient;
  /** The name of the user that a token stands for. */
  whoIs(token: string): Promise<string>;
  read<T>(path: string): Promise<T>;
  tokenSecretNames(): Promise<string[]>;
  /** The token of an account that has no rights. */
  poorToken(): Promise<string>;
}

/** To be called once in a test file: a cluster for each test. Tokens last a day there at most. */
export const useRemoteCluster = (): RemoteCluster => {
  let api: SandboxApi;
  let admin: KubeClient;
  const start = async (settings: NonNullable<Parameters<typeof startSandboxApi>[0]>['settings']): Promise<void> => {
    api = await startSandboxApi(settings === undefined ? {} : { settings });
    admin = api.connect();
  };
  beforeEach(() => start({ maxTokenSeconds: 86_400 }));
  afterEach(() => api.stop());

  const read = <T>(path: string): Promise<T> => admin.raw({ method: 'GET', path }) as Promise<T>; // each path has one kind
  const withToken = (token: string): KubeClient =>
    api.connect({ access: { ...parseKubeconfig(api.server.kubeconfig), token } });
  return {
    get api() {
      return api;
    },
    get admin() {
      return admin;
    },
    async restart(settings) {
      await api.stop();
      await start(settings);
    },
    wish(changes = {}) {
      const { server, ca = '', token = '' } = parseKubeconfig(api.server.kubeconfig);
      return wishAt(server, { access: { server, ca, token }, ...changes });
    },
    withToken,
    async whoIs(token) {
      const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
      const answer = await withToken(token).raw({ method: 'POST', path, body: {} });
      return (answer as { status: { userInfo: { username: string } } }).status.userInfo.username; // a SelfSubjectReview
    },
    read,
    async tokenSecretNames() {
      const { items } = await read<{ items: { metadata: { name: string } }[] }>(paths.secrets);
      return items.map(({ metadata }) => metadata.name);
    },
    async poorToken() {
      const path = '/api/v1/namespaces/kube-system/serviceaccounts';
      await admin.raw({ method: 'POST', path, body: { metadata: { name: 'poor' } } });
      const asked = await admin.raw({ method: 'POST', path: `${path}/poor/token`, body: { spec: {} } });
      return (asked as { status: { token: string } }).status.token; // a TokenRequest
    },
  };
};
