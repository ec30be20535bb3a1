import { TLSSocket } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/kit/eventually.ts';
import { account, check, faultOf, paths, strangeTls, useRemoteCluster, wishAt } from '../../test/kit/remote-checks.ts';
import { useScriptedClients } from '../../test/kit/scripted-clients.ts';
import { answerJson } from '../../test/kit/scripted-server.ts';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import type { EnvironmentWish } from '../domain/environment-wish.ts';
import { namespaces, type KubeObject } from '../kube/object.ts';

const cluster = useRemoteCluster();
const { serve } = useScriptedClients();

const unknownAuthority = [
  'UnableToValidateClusterCredentials',
  "Certificate signed by unknown authority. Note that the '.spec.allowInsecureSkipTLSVerify' field can be used to ignore this error.",
];

describe('a ServiceAccount', () => {
  const wish = (changes: Partial<EnvironmentWish> = {}) => cluster.wish({ newServiceAccount: true, ...changes });

  test('is made with all rights, and a token that works and ends when the cluster says', async () => {
    const checked = await check(wish());
    expect(checked.serviceAccount).toBe(account);
    expect(await cluster.whoIs(checked.token)).toBe(`system:serviceaccount:kube-system:${account}`);
    expect((await cluster.withToken(checked.token).list(namespaces)).items).not.toEqual([]);
    const inMs = (checked.expiresAtMs ?? 0) - Date.now();
    expect(inMs).toBeGreaterThan(86_000_000);
    expect(inMs).toBeLessThanOrEqual(86_400_000);
    expect(await cluster.read(paths.role)).toMatchObject({
      rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
    });
    expect(await cluster.read(paths.binding)).toMatchObject({
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: paths.role.split('/').at(-1) },
      subjects: [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }],
    });
  });

  test('is not written again when it is right', async () => {
    await check(wish());
    const before = await Promise.all([paths.account, paths.role, paths.binding].map((path) => cluster.read(path)));
    await check(wish());
    expect(await Promise.all([paths.account, paths.role, paths.binding].map((path) => cluster.read(path)))).toEqual(
      before,
    );
    expect(Object.keys(cluster.api.server.requests()).filter((request) => /^(patch|update) /.test(request))).toEqual(
      [],
    );
  });

  test('is corrected when somebody has changed it', async () => {
    await check(wish());
    const merge = (path: string, body: unknown) =>
      cluster.admin.raw({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
    await merge(paths.role, { rules: [] });
    await merge(paths.binding, { subjects: [] });
    const { token } = await check(wish());
    expect((await cluster.withToken(token).list(namespaces)).items).not.toEqual([]);

    const body = { metadata: { name: paths.binding.split('/').at(-1) }, subjects: [] };
    await cluster.admin.raw({ method: 'DELETE', path: paths.binding });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'other' };
    await cluster.admin.raw({
      method: 'POST',
      path: paths.binding.replace(/\/[^/]+$/, ''),
      body: { ...body, roleRef },
    });
    const again = await check(wish());
    expect((await cluster.withToken(again.token).list(namespaces)).items).not.toEqual([]);
  });

  test('has no token left of before, once a new one works', async () => {
    const original = { name: `${account}x7k2p`, annotations: { 'kubernetes.io/service-account.name': account } };
    const first = await check(wish());
    const type = 'kubernetes.io/service-account-token';
    await cluster.admin.raw({ method: 'POST', path: paths.secrets, body: { metadata: original, type } });
    const second = await check(wish());
    expect(await cluster.tokenSecretNames()).toHaveLength(1);
    await expect(cluster.whoIs(first.token)).rejects.toMatchObject({ code: 401 });
    expect(await cluster.whoIs(second.token)).toContain(account);
  });

  test('keeps a token that works, without the kubeconfig, whose user may be gone by then', async () => {
    const issued = await check(wish());
    const access = { server: cluster.api.server.url, token: 'withdrawn' };
    expect(await check(wish({ access }), { issued })).toEqual(issued);
    expect(await cluster.tokenSecretNames()).toHaveLength(1);
  });

  test('renews a token that ends soon by its own rights, and Argo CD is not cut off meanwhile', async () => {
    const first = await check(wish());
    const issued = { ...first, expiresAtMs: Date.now() + 60_000 };
    const access = { server: cluster.api.server.url, token: 'withdrawn' };
    const second = await check(wish({ access }), { issued });
    expect(second.token).not.toBe(first.token);
    expect(await cluster.whoIs(first.token)).toContain(account);
    expect(await check(wish({ access }), { issued: second })).toEqual(second);
    await expect(cluster.whoIs(first.token)).rejects.toMatchObject({ code: 401 });
  });

  test('gets another token for another kubeconfig, and Argo CD is not cut off until it has that', async () => {
    const first = await check(wish());
    const second = await check(wish(), { inUse: first.token });
    expect(await cluster.whoIs(first.token)).toContain(account);
    expect(await cluster.whoIs(second.token)).toContain(account);
    await check(wish(), { issued: second, inUse: second.token });
    await expect(cluster.whoIs(first.token)).rejects.toMatchObject({ code: 401 });
  });

  test('that somebody has begun to remove is kept from the garbage collector', async () => {
    await check(wish());
    const { metadata } = await cluster.read<KubeObject>(paths.role);
    const kind = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
    const ownerReferences = [{ ...kind, name: metadata.name, uid: metadata.uid ?? '' }];
    for (const path of [paths.account, paths.binding]) {
      const found = await cluster.read<KubeObject>(path);
      const body = { ...found, metadata: { ...found.metadata, ownerReferences } };
      await cluster.admin.raw({ method: 'PUT', path, body });
    }
    await check(wish());
    await cluster.admin.raw({ method: 'DELETE', path: paths.role });
    for (const path of [paths.account, paths.binding]) {
      expect((await cluster.read<KubeObject>(path)).metadata.ownerReferences ?? []).toEqual([]);
    }
  });

  test('is made again with the kubeconfig when its token is refused', async () => {
    const issued = await check(wish());
    await cluster.admin.raw({ method: 'DELETE', path: paths.account });
    const again = await check(wish(), { issued });
    expect(await cluster.whoIs(again.token)).toContain(account);
  });

  test('is installed by way of the authority in the kubeconfig, not usable without the flag, and taken back then', async () => {
    expect(await faultOf(check(wish({ insecure: false })))).toEqual(unknownAuthority);
    await eventually('it is gone', async () => (await cluster.tokenSecretNames()).length === 0);
    await expect(cluster.read(paths.account)).rejects.toMatchObject({ code: 404 });
  });

  test('stays with the token that Argo CD uses when another one turns out to be of no use', async () => {
    const first = await check(wish());
    expect(await faultOf(check(wish({ insecure: false }), { inUse: first.token }))).toEqual(unknownAuthority);
    expect(await cluster.whoIs(first.token)).toContain(account);
    expect(await cluster.tokenSecretNames()).toHaveLength(1);
  });

  test('has its token in a Secret where tokens can not be asked for', async () => {
    await cluster.restart({ tokenRequests: false });
    const first = await check(wish());
    expect(first.expiresAtMs).toBeUndefined();
    expect(await cluster.whoIs(first.token)).toBe(`system:serviceaccount:kube-system:${account}`);
    const second = await check(wish());
    expect(await cluster.tokenSecretNames()).toHaveLength(1);
    await expect(cluster.whoIs(first.token)).rejects.toMatchObject({ code: 401 });
    expect(await check(wish(), { issued: second })).toEqual(second);
  });

  test('is made by whom a client certificate stands for too', async () => {
    const seen: [string, boolean, string | undefined][] = [];
    const server = await serve(
      ({ path, headers }, response) => {
        const { socket } = response;
        seen.push([
          path,
          socket instanceof TLSSocket && Boolean(socket.getPeerX509Certificate()),
          headers.authorization,
        ]);
        const metadata = { name: 'x', namespace: 'kube-system' };
        const resources = [{ name: 'serviceaccounts/token' }];
        answerJson(response, 200, { kind: 'List', metadata, items: [], resources, status: { token: 'made' } });
      },
      { ...strangeTls, requestCert: true, rejectUnauthorized: false },
    );
    const access = { server: server.url, clientCertificate: strangeTls.certificate, clientKey: strangeTls.key };
    expect((await check(wishAt(server.url, { newServiceAccount: true, access }))).token).toBe('made');
    expect(seen[0]).toEqual([paths.account, true, undefined]);
    expect(seen.find(([path]) => path === '/api/v1/namespaces')).toEqual(['/api/v1/namespaces', false, 'Bearer made']);
  });

  test('waits for such a Secret to be filled in, and no longer than the deadline', async () => {
    let reads = 0;
    const server = await serve((request, response) => {
      const isSecret = request.path.startsWith(`${paths.secrets}/`);
      if (request.path === '/api/v1') return answerJson(response, 200, { kind: 'APIResourceList', resources: [] });
      if (isSecret) reads += 1;
      const data = isSecret && reads > 2 ? { token: Buffer.from('late').toString('base64') } : {};
      const metadata = { name: 'x', namespace: 'kube-system' };
      answerJson(response, 200, { kind: 'List', metadata, items: [], data, rules: [], subjects: [] });
    }, strangeTls);
    const clock = createVirtualClock();
    const checked = check(wishAt(server.url, { newServiceAccount: true }), { context: { clock } });
    checked.catch(() => undefined); // it is looked at below
    for (const seen of [1, 2]) {
      await eventually('the Secret is read', () => reads === seen && clock.nextInMs === 1000);
      await clock.advance(1000);
    }
    expect((await checked).token).toBe('late');

    reads = -1000;
    const late = faultOf(
      check(wishAt(server.url, { newServiceAccount: true }), { context: { clock, deadlineMs: 5000 } }),
    );
    for (let second = 0; second < 5; second += 1) {
      await eventually('the Secret is read', () => reads === -999 + second && clock.pending > 1);
      await clock.advance(1000);
    }
    expect(await late).toEqual([
      'UnableToInstallServiceAccount',
      'unable to read token Secret: context deadline exceeded',
    ]);
  });
});
