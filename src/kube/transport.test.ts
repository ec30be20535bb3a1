import { TLSSocket, rootCertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { startSandboxApi, type SandboxApi } from '../../test/kit/sandbox-api.ts';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerJson } from '../../test/kit/scripted-server.ts';
import { createServerCertificate } from '../sandbox/apiserver/http/certificate.ts';
import { seededRandom } from '../lib/random.ts';
import { parseKubeconfig, type ClusterAccess } from './kubeconfig.ts';
import { namespaces, type Namespace } from './object.ts';

let api: SandboxApi;
beforeEach(async () => {
  api = await startSandboxApi();
});
afterEach(() => api.stop());

const { serve, connect } = useScriptedClients();

/** One read over the access that the kubeconfig gives, changed. Fails with what the client says. */
const readWith = (changes: Partial<ClusterAccess>, leaveOut: readonly string[] = []): Promise<Namespace> => {
  const access = { ...parseKubeconfig(api.server.kubeconfig), ...changes };
  const kept = Object.fromEntries(Object.entries(access).filter(([name]) => !leaveOut.includes(name)));
  const client = api.connect({ access: { ...kept, server: access.server } });
  return client.get(namespaces, { name: 'default' });
};

describe('over TLS', () => {
  test('the authority of the kubeconfig is what the server is checked against', async () => {
    expect((await readWith({})).metadata.name).toBe('default');
    const refused = { kind: 'internal', reason: 'ApiUnavailable' };
    await expect(readWith({}, ['ca'])).rejects.toMatchObject(refused);
    await expect(readWith({ ca: rootCertificates[0] ?? '' })).rejects.toMatchObject(refused);
  });

  test('a server that is not to be checked is not', async () => {
    expect((await readWith({ insecureSkipTlsVerify: true }, ['ca'])).metadata.name).toBe('default');
  });

  test('the name in the certificate may be another than the host', async () => {
    expect((await readWith({ tlsServerName: 'localhost' })).metadata.name).toBe('default');
    await expect(readWith({ tlsServerName: 'elsewhere.example' })).rejects.toThrow('elsewhere.example');
  });

  test('distrust, or a key that is none, is said at once and not tried again', async () => {
    const { log, lines } = capturedLog();
    for (const access of [
      { ca: rootCertificates[0] ?? '' },
      { clientCertificate: 'no certificate', clientKey: 'no key' },
      { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
    ]) {
      const client = api.connect({ log, access: { ...parseKubeconfig(api.server.kubeconfig), ...access } });
      await expect(client.get(namespaces, { name: 'default' })).rejects.toMatchObject({ reason: 'ApiUnavailable' });
    }
    expect(lines).toEqual([]);
  });

  test('the client certificate is shown to the server', async () => {
    const { ca, certificate, key } = createServerCertificate({ hosts: ['127.0.0.1'], random: seededRandom(1) });
    const shown: unknown[] = [];
    const tls = { key, cert: certificate, requestCert: true, rejectUnauthorized: false };
    const server = await serve((_request, response) => {
      const { socket } = response;
      if (socket instanceof TLSSocket) shown.push(socket.getPeerX509Certificate()?.toString());
      answerJson(response, 200, { kind: 'NamespaceList', metadata: {}, items: [] });
    }, tls);
    const access = { server: server.url, ca };
    await connect(server, { access: { ...access, clientCertificate: certificate, clientKey: key } }).list(namespaces);
    await connect(server, { access }).list(namespaces);
    expect(shown).toEqual([certificate, undefined]);
  });
});

test('a token file that can not be read at first is an unreachable server, not a crash', async () => {
  const readToken = (): string => {
    throw new Error('no token there');
  };
  const server = await serve((_request, response) => answerJson(response, 200, {}));
  const read = connect(server, { access: { server: server.url, readToken } }).get(
    namespaces,
    { name: 'default' },
    { retry: false },
  );
  await expect(read).rejects.toMatchObject({ kind: 'internal', reason: 'ApiUnavailable' });
  await expect(read).rejects.toThrow('no token there');
});
