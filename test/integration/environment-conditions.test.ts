// What an environment says of itself: every reason there is, brought about as it comes about in life.
import type { ServerOptions } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeploymentManagedEnvironments } from '../../src/api/v1alpha1/gitops-deployment-managed-environment.ts';
import { secrets } from '../../src/kube/object.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import { localCertificate } from '../kit/admission.ts';
import { aKubeconfig, becomes, createEnvironment, ownConditions, putKubeconfig } from '../kit/environments.ts';
import { startRemoteCluster, type RemoteCluster } from '../kit/remote-cluster.ts';
import { answerStatus, startScriptedServer, type ScriptedServer } from '../kit/scripted-server.ts';
import { createWorld, type World } from '../kit/world.ts';

/** Far longer than anything on this machine takes; only what never answers reaches it. */
const CHECK_DEADLINE = '2s';
const NOT_VALIDATED =
  'UnableToValidateClusterCredentials Unable to validate the credentials provided in the ManagedEnvironment Secret. Verify the API URL, and service account token are correct.';
const FORBIDDEN =
  'UnableToValidateClusterCredentials Provided service account does not have permission to access resources in the cluster. Verify that the service account has the correct Role and RoleBinding.';
const UNKNOWN_AUTHORITY =
  "UnableToValidateClusterCredentials Certificate signed by unknown authority. Note that the '.spec.allowInsecureSkipTLSVerify' field can be used to ignore this error.";
const NO_CLIENT = 'UnableToCreateClient unable to create k8s client from restConfig from managed environment secret: ';

let world: World;
let remote: RemoteCluster;
let forbidding: ScriptedServer;
let silent: Server;
let silentUrl: string;
const held: Socket[] = [];
let namespace: string;
let count = 0;

const tls = (): ServerOptions => {
  const { certificate, key } = localCertificate();
  return { cert: certificate, key };
};

beforeAll(async () => {
  world = await createWorld();
  remote = await startRemoteCluster(['api', 'web']);
  forbidding = await startScriptedServer(
    (_request, response) =>
      answerStatus(response, { code: 403, reason: 'Forbidden', message: 'namespaces is forbidden' }),
    tls(),
  );
  silent = createServer((socket) => {
    held.push(socket.resume());
    socket.on('error', () => undefined); // it is cut off in the middle
  });
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentUrl = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`; // it listens on TCP
  await world.start('backend', { flags: { recheck: '1h', 'check-deadline': CHECK_DEADLINE } });
});
afterAll(async () => {
  await world.stop();
  await remote.stop();
  await forbidding.stop();
  for (const socket of held) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
});
beforeEach(async () => {
  namespace = `team-${(count += 1)}`;
  await world.createNamespace(namespace);
});

const ref = () => ({ namespace, name: 'prod' });
type Spec = Partial<Parameters<typeof createEnvironment>[2]>;

const putOther = (type: string, data: Readonly<Record<string, string>>) =>
  world.client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: ref(), type, data });

/** With a kubeconfig, or none at all. */
const environment = async (kubeconfig: string | undefined, spec: Spec = {}) => {
  if (kubeconfig !== undefined) await putKubeconfig(world, ref(), kubeconfig);
  return createEnvironment(world, ref(), { apiURL: remote.url, ...spec });
};
const withToken = (server = remote.url, token = remote.token) => aKubeconfig({ server, token });
const reasonIs = (reason: string) =>
  becomes(world, 'environment', { ...ref(), condition: new RegExp(` ${reason}\\b`) });
const says = async (status: string, text: string) => {
  await reasonIs(text.split(' ', 1)[0] ?? '');
  expect(await ownConditions(world, 'environment', ref())).toEqual([
    `ConnectionInitializationSucceeded=${status} ${text}`,
  ]);
};
const rowCount = async (): Promise<number> => {
  const rows = await world.database.sql(
    `select 1 from apicrtodatabasemapping where api_resource_namespace = '${namespace}'`,
  );
  return rows.length;
};

describe('an environment that the cluster does not accept', () => {
  it('says that the authority is unknown, and that this can be ignored', async () => {
    await environment(withToken(), { allowInsecureSkipTLSVerify: false });
    await says('Unknown', UNKNOWN_AUTHORITY);
  });

  it('says that the cluster has forbidden it', async () => {
    await environment(withToken(forbidding.url), { apiURL: forbidding.url });
    await says('Unknown', FORBIDDEN);
  });

  it('says that a token is not right', async () => {
    await environment(withToken(remote.url, 'wrong'));
    await says('Unknown', NOT_VALIDATED);
  });

  it('says so when the cluster never answers, after a deadline and not after minutes', async () => {
    await environment(withToken(silentUrl), { apiURL: silentUrl });
    await says('Unknown', NOT_VALIDATED);
  });

  it('says so when the name does not resolve', async () => {
    const server = 'https://no-such-cluster.invalid:6443';
    await environment(withToken(server), { apiURL: server });
    await says('Unknown', NOT_VALIDATED);
  });

  it('says so when a namespace is not there', async () => {
    await environment(withToken(), { namespaces: ['absent'] });
    await says('Unknown', NOT_VALIDATED);
  });

  it('leaves no rows behind', async () => {
    await environment(withToken(remote.url, 'wrong'));
    await reasonIs('UnableToValidateClusterCredentials');
    expect(await rowCount()).toBe(0);
  });
});

describe('an environment that a ServiceAccount is to be made for', () => {
  const newServiceAccount = { createNewServiceAccount: true };

  it('says what the cluster said when it refuses', async () => {
    await environment(withToken(forbidding.url), { apiURL: forbidding.url, ...newServiceAccount });
    await reasonIs('UnableToInstallServiceAccount');
    await says('False', 'UnableToInstallServiceAccount unable to create ServiceAccount: namespaces is forbidden');
  });

  it('says so, and why, when the name does not resolve', async () => {
    const server = 'https://no-such-cluster.invalid:6443';
    await environment(withToken(server), { apiURL: server, ...newServiceAccount });
    await says(
      'False',
      'UnableToInstallServiceAccount unable to create ServiceAccount: dial tcp: lookup no-such-cluster.invalid: no such host',
    );
  });

  it.each([
    ['that is none', { 'certificate-authority-data': 'bm9uZQ==' }, 'unable to load root certificates'],
    [
      'beside the insecure flag',
      { 'certificate-authority-data': 'bm9uZQ==', 'insecure-skip-tls-verify': true },
      'root certificates file with the insecure flag',
    ],
  ])('names an authority %s', async (_what, cluster, cause) => {
    const kubeconfig = aKubeconfig({ server: remote.url, token: remote.token, cluster });
    await environment(kubeconfig, { allowInsecureSkipTLSVerify: false, ...newServiceAccount });
    await reasonIs('UnableToCreateClient');
    const [said] = await ownConditions(world, 'environment', ref());
    expect(said).toContain(`=False ${NO_CLIENT}`);
    expect(said).toContain(cause);
  });

  it('names a client certificate that can not be read', async () => {
    const user = { 'client-certificate-data': 'bm9uZQ==', 'client-key-data': 'bm9uZQ==' };
    await environment(aKubeconfig({ server: remote.url, user }), newServiceAccount);
    await says('False', `${NO_CLIENT}tls: the client certificate and key can not be read, or do not belong together`);
  });
});

describe('an environment whose spec is wrong', () => {
  it('names no Secret', async () => {
    await environment(undefined, { credentialsSecret: '' });
    await says('False', `SecretNotSpecified no secret specified by managed environment 'prod' in '${namespace}'`);
  });

  it('names a Secret that is not there', async () => {
    await environment(undefined);
    await says(
      'False',
      `SecretNotFound secret 'prod' referenced by managed environment 'prod' in '${namespace}', could not be retrieved: Secret "prod" not found`,
    );
  });

  it.each(['?a=b', '/&'])('has a URL with %s', async (end) => {
    await environment(withToken(), { apiURL: `${remote.url}${end}` });
    await says('Unknown', 'UnsupportedAPIURL the API URL must not have ? or & values');
  });

  const wrong = 'ManagedEnvironment contains an invalid namespace in namespaces list: Not_A_Name';

  it('names a namespace that can not be one', async () => {
    await environment(withToken(), { namespaces: ['web', 'Not_A_Name'] });
    await says('Unknown', `InvalidNamespaceList ${wrong}`);
  });

  it('says the same with other words where it was usable before, and stays usable', async () => {
    await environment(withToken());
    await reasonIs('Succeeded');
    const body = { spec: { namespaces: ['Not_A_Name'] } };
    await world.client.patch(gitOpsDeploymentManagedEnvironments, ref(), { type: 'merge', body });
    await says('Unknown', `InvalidNamespaceList user specified an invalid namespace: ${wrong}`);
    expect(await rowCount()).toBe(1);
  });
});

const config = (parts: object): string =>
  toYaml({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'there', cluster: { server: remote.url } }],
    contexts: [{ name: 'there', context: { cluster: 'there', user: 'me' } }],
    users: [{ name: 'me', user: { token: remote.token } }],
    ...parts,
  });
const withUser = (user: object) => () => config({ users: [{ name: 'me', user: { token: remote.token, ...user } }] });
const withCluster = (cluster: object) => () =>
  config({ clusters: [{ name: 'there', cluster: { server: remote.url, ...cluster } }] });

const PARSE = 'UnableToParseKubeconfigData unable to parse kubeconfig data: ';
const NO_TOKEN =
  'UnableToParseKubeconfigData kubeconfig must have a service account token for the user in context "there". client-certificate is not supported at this time.';

describe('a kubeconfig', () => {
  it.each<[string, () => string, string]>([
    ['without a token', () => config({ users: [{ name: 'me', user: {} }] }), NO_TOKEN],
    [
      'with a client certificate only',
      () => config({ users: [{ name: 'me', user: { 'client-certificate-data': 'YQ==', 'client-key-data': 'YQ==' } }] }),
      NO_TOKEN,
    ],
    [
      'without its user',
      () => config({ users: [] }),
      'UnableToParseKubeconfigData unable to extract remote cluster configuration from kubeconfig, missing auth info for there',
    ],
    [
      'without a context',
      () => config({ contexts: [] }),
      "UnableToLocateContext the kubeconfig did not have a context that matched the cluster specified in the API URL of the GitOpsDeploymentManagedEnvironment. Context was expected to reference cluster 'there'",
    ],
    [
      'that is one word',
      () => 'junk',
      `${PARSE}couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
    ],
    [
      'that is no YAML',
      () => 'a: [',
      `${PARSE}yaml: line 1: Flow sequence in block collection must be sufficiently indented and end with a ]`,
    ],
    [
      'with a program',
      withUser({ exec: { command: 'sh' } }),
      `${PARSE}user.exec is not allowed: no program is run for credentials; give a token`,
    ],
    [
      'with an auth provider',
      withUser({ 'auth-provider': { name: 'gcp' } }),
      `${PARSE}user.auth-provider is not allowed: no program is run for credentials; give a token`,
    ],
    [
      'with a token in a file',
      withUser({ tokenFile: '/etc/passwd' }),
      `${PARSE}user.tokenFile is not allowed: no file is read; give its content as token`,
    ],
    [
      'with a certificate in a file',
      withUser({ 'client-certificate': '/etc/passwd' }),
      `${PARSE}user.client-certificate is not allowed: no file is read; give its content under the same name with -data`,
    ],
    [
      'with a key in a file',
      withUser({ 'client-key': '/etc/passwd' }),
      `${PARSE}user.client-key is not allowed: no file is read; give its content under the same name with -data`,
    ],
    [
      'with an authority in a file',
      withCluster({ 'certificate-authority': '/etc/passwd' }),
      `${PARSE}cluster.certificate-authority is not allowed: no file is read; give its content as certificate-authority-data`,
    ],
    [
      'with a proxy',
      withCluster({ 'proxy-url': 'http://127.0.0.1:3128' }),
      `${PARSE}cluster.proxy-url is not allowed: the API server is reached directly`,
    ],
    ['with another user to be', withUser({ as: 'admin' }), `${PARSE}user.as is not allowed: there is no impersonation`],
    [
      'with a token that is too long',
      withUser({ token: 'x'.repeat(8193) }),
      `${PARSE}user.token value exceeds maximum size: max: 8192, actual: 8193`,
    ],
    [
      'with two ways to be somebody',
      withUser({ username: 'me', password: 'mine' }),
      'UnableToRetrieveRestConfig unable to retrieve restConfig from managed environment secret: invalid configuration: more than one authentication method found for the user; only one is allowed',
    ],
  ])('%s is refused in words', async (_what, kubeconfig, text) => {
    await environment(kubeconfig());
    await says('False', text);
    expect(await rowCount()).toBe(0);
  });

  it('of another cluster is refused in words', async () => {
    await environment(withToken('https://other.example.com'));
    await says(
      'False',
      `UnableToLocateContext the kubeconfig did not have a cluster entry that matched the API URL '${remote.url}'`,
    );
  });

  it('is looked for in a Secret of its type and under its key only', async () => {
    await putOther('Opaque', { kubeconfig: Buffer.from(withToken()).toString('base64') });
    await environment(undefined);
    await says('False', 'InvalidSecretType invalid secret type: Opaque');
    await world.client.delete(secrets, ref());
    await putOther('managed-gitops.redhat.com/managed-environment', { config: 'YQ==' });
    await says('False', 'MissingKubeConfigField missing kubeconfig field in Secret');
  });
});
