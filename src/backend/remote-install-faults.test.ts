import { describe, expect, test } from 'vitest';
import {
  account,
  check,
  faultOf,
  resultAfterMs,
  strangeTls,
  useRemoteCluster,
  wishAt,
} from '../../test/kit/remote-checks.ts';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerJson, answerStatus } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { parseKubeconfig } from '../kube/kubeconfig.ts';
import { createAddressGuard, parseAllowedAddresses, type LookupAll } from './address-guard.ts';
import type { RemoteContext } from './remote-client.ts';

const cluster = useRemoteCluster();
const { serve } = useScriptedClients();

describe('a ServiceAccount that can not be made says why, in the words of Go:', () => {
  const install = (host: string, context: Partial<RemoteContext> = {}, access: object = {}) =>
    faultOf(
      check(
        wishAt(host, {
          newServiceAccount: true,
          insecure: false,
          access: { server: host, token: 't0ken-canary', ...access },
        }),
        {
          context,
        },
      ),
    );
  const failed = (cause: string) => ['UnableToInstallServiceAccount', `unable to create ServiceAccount: ${cause}`];

  test('too few rights', async () => {
    const access = { server: cluster.api.server.url, token: await cluster.poorToken() };
    expect(await faultOf(check(cluster.wish({ newServiceAccount: true, access })))).toEqual(
      failed(
        `serviceaccounts "${account}" is forbidden: User "system:serviceaccount:kube-system:poor" cannot get resource "serviceaccounts" in API group "" in the namespace "kube-system"`,
      ),
    );
  });

  test('an authority that nobody knows', async () => {
    const cause = 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    expect(await install(cluster.api.server.url)).toEqual(failed(cause));
  });

  test('a certificate for another name', async () => {
    const { ca } = parseKubeconfig(cluster.api.server.kubeconfig);
    expect(await install(cluster.api.server.url, {}, { ca, tlsServerName: 'elsewhere.example' })).toEqual(
      failed(
        'tls: failed to verify certificate: x509: certificate is valid for 127.0.0.1, localhost, not elsewhere.example',
      ),
    );
  });

  test('a name that does not resolve', async () => {
    const lookup: LookupAll = (hostname, _options, callback) =>
      callback(Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', hostname }), []);
    const addresses = createAddressGuard(parseAllowedAddresses('all'), { lookup });
    expect(await install('https://nowhere.example', { addresses })).toEqual(
      failed('dial tcp: lookup nowhere.example: no such host'),
    );
  });

  test('a port where nobody listens', async () => {
    const server = await serve(() => undefined, strangeTls);
    await server.stop();
    const { port } = new URL(server.url);
    expect(await install(server.url)).toEqual(failed(`dial tcp 127.0.0.1:${port}: connect: connection refused`));
  });

  test('a server that does not speak TLS', async () => {
    const server = await serve((_request, response) => response.end());
    expect(await install(server.url.replace('http:', 'https:'))).toEqual(
      failed('http: server gave HTTP response to HTTPS client'),
    );
  });

  test('a server that never answers', async () => {
    const server = await serve(() => undefined, strangeTls);
    const clock = createVirtualClock();
    const checked = install(server.url, { clock }, { insecureSkipTlsVerify: true });
    expect(await resultAfterMs(clock, 10_000, checked)).toEqual(failed('context deadline exceeded'));
  });

  test.each([
    [
      'an authority that is none',
      { ca: 'junk' },
      'unable to load root certificates: unable to parse bytes as PEM block',
    ],
    [
      'a client certificate that is none',
      { clientCertificate: 'junk', clientKey: 't0ken-canary' },
      'tls: the client certificate and key can not be read, or do not belong together',
    ],
    [
      'an authority, and the wish not to look at it',
      { ca: 'junk', insecureSkipTlsVerify: true },
      'specifying a root certificates file with the insecure flag is not allowed',
    ],
  ])('%s makes no client', async (_what, access, cause) => {
    expect(await install('https://127.0.0.1:1', {}, access)).toEqual([
      'UnableToCreateClient',
      `unable to create k8s client from restConfig from managed environment secret: ${cause}`,
    ]);
  });

  test('nothing of what another service answers, and no secret that is said back to us', async () => {
    const page = await serve((_request, response) => response.writeHead(500).end('internal page'), strangeTls);
    expect(await install(page.url, {}, { insecureSkipTlsVerify: true })).toEqual(failed('the server answered 500'));
    const echo = await serve(({ headers }, response) => {
      answerStatus(response, {
        code: 403,
        reason: 'Forbidden',
        message: `${headers.authorization} ${'x'.repeat(5000)}`,
      });
    }, strangeTls);
    const [, message] = await install(echo.url, {}, { insecureSkipTlsVerify: true });
    expect(message).toContain('Bearer *** x');
    expect(message.length).toBeLessThanOrEqual(2000);
  });

  test('a token that nobody could keep, or none at all', async () => {
    let token = '';
    const server = await serve((_request, response) => {
      const resources = [{ name: 'serviceaccounts/token' }];
      const metadata = { name: 'x', namespace: 'kube-system' };
      answerJson(response, 200, { kind: 'List', metadata, resources, status: { token }, rules: [], subjects: [] });
    }, strangeTls);
    const insecure = { insecureSkipTlsVerify: true };
    expect((await install(server.url, {}, insecure))[1]).toBe('unable to create a token: the cluster gave none');
    token = 'x'.repeat(8193);
    expect((await install(server.url, {}, insecure))[1]).toContain('more than 8192 characters');
  });
});
