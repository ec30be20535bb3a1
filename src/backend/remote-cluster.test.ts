import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { eventually } from '../../test/kit/eventually.ts';
import {
  account,
  check,
  contextWith,
  faultOf,
  paths,
  resultAfterMs,
  strangeTls,
  uid,
  useRemoteCluster,
  wishAt,
} from '../../test/kit/remote-checks.ts';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import type { Responder } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { parseKubeconfig } from '../kube/kubeconfig.ts';
import { createAddressGuard, parseAllowedAddresses } from './address-guard.ts';
import { removeServiceAccount, type CheckedEnvironment, type Removal } from './remote-cluster.ts';

const cluster = useRemoteCluster();
const { serve } = useScriptedClients();

const notValid = (message: string): [string, string] => ['UnableToValidateClusterCredentials', message];
const byDefault = notValid(
  'Unable to validate the credentials provided in the ManagedEnvironment Secret. Verify the API URL, and service account token are correct.',
);
const forbidden = notValid(
  'Provided service account does not have permission to access resources in the cluster. Verify that the service account has the correct Role and RoleBinding.',
);
const unknownAuthority = notValid(
  "Certificate signed by unknown authority. Note that the '.spec.allowInsecureSkipTLSVerify' field can be used to ignore this error.",
);

describe('a token that was given', () => {
  test('is tried with what Argo CD will use, and kept as it is', async () => {
    const wish = cluster.wish();
    expect(await check(wish)).toEqual({ token: wish.access.token, expiresAtMs: undefined, serviceAccount: undefined });
    expect(cluster.api.server.requests()).toEqual({ 'list namespaces': 1 });
  });

  test('is tried on the first of the namespaces alone, where there are some', async () => {
    await check(cluster.wish({ namespaces: 'default,kube-system' }));
    expect(cluster.api.server.requests()).toEqual({ 'get namespaces': 1 });
    expect(await faultOf(check(cluster.wish({ namespaces: 'missing' })))).toEqual(byDefault);
  });

  test('does not count on the authority in the kubeconfig, which Argo CD never sees', async () => {
    expect(await faultOf(check(cluster.wish({ insecure: false })))).toEqual(unknownAuthority);
  });

  test('needs no flag where the authority is one that everybody knows', async () => {
    const before = getCACertificates('default');
    setDefaultCACertificates([...before, parseKubeconfig(cluster.api.server.kubeconfig).ca ?? '']);
    try {
      expect((await check(cluster.wish({ insecure: false }))).token).not.toBe('');
    } finally {
      setDefaultCACertificates(before);
    }
  });

  test('is told from one that is unknown and one that may too little', async () => {
    const wish = (token: string) => cluster.wish({ access: { server: cluster.api.server.url, token } });
    expect(await faultOf(check(wish('unknown')))).toEqual(byDefault);
    expect(await faultOf(check(wish(await cluster.poorToken())))).toEqual(forbidden);
  });

  test.each<[string, Responder]>([
    ['refuses it without a word', (_request, response) => response.writeHead(401).end()],
    ['sends it elsewhere', (_request, response) => response.writeHead(302, { location: 'https://127.0.0.1' }).end()],
    ['is no API server', (_request, response) => response.writeHead(200).end('<html>')],
    [
      'answers without end',
      (_request, response) => {
        const chunk = Buffer.alloc(1024 * 1024, ' ');
        const more = (error?: Error | null): void =>
          void (error || response.closed || response.destroyed || response.write(chunk, more));
        more();
      },
    ],
    ['breaks off', (_request, response) => response.destroy()],
  ])('is not accepted when the server %s', async (_what, respond) => {
    const server = await serve(respond, strangeTls);
    expect(await faultOf(check(wishAt(server.url)))).toEqual(byDefault);
    expect(server.requests).toHaveLength(1);
  });

  test('can not hold a check up: one that is never answered ends with the deadline', async () => {
    const server = await serve(() => undefined, strangeTls);
    const clock = createVirtualClock();
    const checked = check(wishAt(server.url), { context: { clock } });
    expect(await faultOf(resultAfterMs(clock, 10_000, checked))).toEqual(byDefault);
    expect(clock.pending).toBe(0);
  });

  test('is not sent to an address that is not allowed', async () => {
    const addresses = createAddressGuard(parseAllowedAddresses('private'));
    expect(await faultOf(check(cluster.wish(), { context: { addresses } }))).toEqual([
      'UnsupportedAPIURL',
      'the API URL leads to a loopback address, which is not allowed here',
    ]);
    expect(cluster.api.server.requests()).toEqual({});
  });

  test('is left alone when the process stops: the reason of the stop is thrown, and no fault of anybody', async () => {
    const stop = new AbortController();
    const server = await serve(() => stop.abort(new Error('stopping')), strangeTls);
    await expect(check(wishAt(server.url), { signal: stop.signal })).rejects.toThrow('stopping');
  });
});

describe('the removal of a ServiceAccount', () => {
  const remove = (checked: CheckedEnvironment, changes: object = {}): Promise<Removal> =>
    removeServiceAccount(
      contextWith(),
      {
        host: cluster.api.server.url,
        token: checked.token,
        insecure: true,
        serviceAccount: account,
        uid,
        inUse: undefined,
        ...changes,
      },
      new AbortController().signal,
    );

  const left = async (): Promise<string[]> => {
    const there = await Promise.all(
      [paths.account, paths.role, paths.binding].map((path) =>
        cluster.read(path).then(
          () => [path],
          () => [],
        ),
      ),
    );
    return [...there.flat(), ...(await cluster.tokenSecretNames())];
  };

  test.each([true, false])('leaves nothing, with no rights but its own (TokenRequest: %s)', async (tokenRequests) => {
    await cluster.restart({ tokenRequests });
    const checked = await check(cluster.wish({ newServiceAccount: true }));
    expect(await left()).toHaveLength(4);
    expect(await remove(checked)).toBe('done');
    await eventually('all is gone', async () => (await left()).length === 0);
    await expect(cluster.whoIs(checked.token)).rejects.toMatchObject({ code: 401 });
    expect(await remove(checked), 'by somebody who did not hear of it').toBe('refused');
  });

  test('leaves the account, and revokes the old token, where another URL of the same cluster is in use', async () => {
    const first = await check(cluster.wish({ newServiceAccount: true }));
    const second = await check(cluster.wish({ newServiceAccount: true }), { inUse: first.token });
    await remove(first, { inUse: second.token });
    expect(await cluster.whoIs(second.token)).toContain(account);
    await expect(cluster.whoIs(first.token)).rejects.toMatchObject({ code: 401 });
  });

  test('goes on with what is left when somebody has begun', async () => {
    await check(cluster.wish({ newServiceAccount: true }));
    await cluster.admin.raw({ method: 'DELETE', path: paths.role });
    const token = parseKubeconfig(cluster.api.server.kubeconfig).token ?? '';
    await remove({ token, expiresAtMs: undefined, serviceAccount: account });
    await eventually('all is gone', async () => (await left()).length === 0);
    await remove({ token, expiresAtMs: undefined, serviceAccount: account });
  });

  test('says that it can not be done, and why', async () => {
    const checked = { token: await cluster.poorToken(), expiresAtMs: undefined, serviceAccount: account };
    expect(await faultOf(remove(checked))).toEqual([
      'UnableToInstallServiceAccount',
      expect.stringMatching(/^unable to read ClusterRole: clusterroles.* is forbidden/),
    ]);
  });
});

test('no token of a cluster stands in a log line', async () => {
  const { log, lines } = capturedLog();
  const wish = cluster.wish({ newServiceAccount: true });
  const { token } = await check(wish, { context: { log } });
  await faultOf(check(wishAt('https://127.0.0.1:1', { newServiceAccount: true }), { context: { log } }));
  expect(JSON.stringify(lines)).not.toContain(token);
  expect(JSON.stringify(lines)).not.toContain(wish.access.token);
});
