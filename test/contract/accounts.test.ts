import { describe, expect } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { parseTime, systemClock } from '../../src/lib/clock.ts';
import { asArray, asText, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { at, controllers, it, textAt, uniqueName, useSuite } from './suite.ts';

const { secrets, namespace, expectCode } = useSuite();

const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
const userOf = (name: string): string => `system:serviceaccount:${namespace}:${name}`;

const createAccount = (name: string) =>
  expectCode(201, 'POST', accounts, { body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } } });

const tokenRequest = (spec: object = {}) => ({
  body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
});

const review = async (token: string): Promise<unknown> => {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  return (await expectCode(201, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body }))['status'];
};

const mayList = async (user: string, where: object): Promise<unknown> => {
  const spec = { user, resourceAttributes: { verb: 'list', resource: 'configmaps', ...where } };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
  const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
  return valueAt(await expectCode(201, 'POST', path, { body }), 'status', 'allowed');
};

describe('the token of a service account', () => {
  it('may be asked for, as discovery tells', async () => {
    const { resources } = await expectCode(200, 'GET', '/api/v1');
    expect(asArray(resources).find((one) => valueAt(one, 'name') === 'serviceaccounts/token')).toEqual({
      name: 'serviceaccounts/token',
      singularName: '',
      namespaced: true,
      group: 'authentication.k8s.io',
      version: 'v1',
      kind: 'TokenRequest',
      verbs: ['create'],
    });
  });

  it('names the account, lasts as long as was asked, and ends with the Secret that it is bound to', async () => {
    await createAccount('bound');
    const secret = await expectCode(201, 'POST', secrets, { body: { metadata: { name: 'bound' } } });
    const boundObjectRef = {
      kind: 'Secret',
      apiVersion: 'v1',
      name: 'bound',
      uid: textAt(secret, 'metadata', 'uid'),
    };
    const asked = tokenRequest({ expirationSeconds: 7200, boundObjectRef });
    const { status } = await expectCode(201, 'POST', `${at(accounts, 'bound')}/token`, asked);
    const inMs = (parseTime(textAt(status, 'expirationTimestamp')) ?? 0) - systemClock.now();
    expect(inMs).toBeGreaterThan(7_100_000);
    expect(inMs).toBeLessThan(7_300_000);
    const token = textAt(status, 'token');
    expect(await review(token)).toMatchObject({ authenticated: true, user: { username: userOf('bound') } });
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    expect(valueAt(claims, 'kubernetes.io', 'secret', 'name')).toBe('bound');

    await expectCode(200, 'DELETE', at(secrets, 'bound'));
    await eventually('the token has ended', async () => !valueAt(await review(token), 'authenticated'));
  });

  it('is refused for a time too short, for no account, and for a Secret that is another', async () => {
    await createAccount('short');
    const path = `${at(accounts, 'short')}/token`;
    const short = await expectCode(422, 'POST', path, tokenRequest({ expirationSeconds: 60 }));
    expect(short['message']).toContain('may not specify a duration less than 10 minutes');
    await expectCode(404, 'POST', `${at(accounts, 'nobody')}/token`, tokenRequest());
    const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name: 'other' };
    await expectCode(404, 'POST', path, tokenRequest({ boundObjectRef }));
    await expectCode(201, 'POST', secrets, { body: { metadata: { name: 'other' } } });
    await expectCode(409, 'POST', path, tokenRequest({ boundObjectRef: { ...boundObjectRef, uid: 'x' } }));
  });

  const tokenSecret = (name: string, account?: string) => {
    const annotations = account === undefined ? {} : { 'kubernetes.io/service-account.name': account };
    const metadata = { name, annotations };
    return { body: { metadata, type: 'kubernetes.io/service-account-token' } };
  };

  it('is written into a Secret that is there for it, and goes with the account', async ({ skip }) => {
    skip(!controllers, 'no controllers run here');
    await createAccount('kept');
    await expectCode(201, 'POST', secrets, tokenSecret('kept', 'kept'));
    const data = await eventually('the Secret is filled in', async () =>
      valueAt(await expectCode(200, 'GET', at(secrets, 'kept')), 'data', 'token'),
    );
    const token = Buffer.from(asText(data), 'base64').toString();
    expect(await review(token)).toMatchObject({ authenticated: true, user: { username: userOf('kept') } });
    await expectCode(200, 'DELETE', at(accounts, 'kept'));
    await eventually('the Secret has gone', () => expectCode(404, 'GET', at(secrets, 'kept')));
  });

  it('has no place in a Secret that names no account', async () => {
    expect((await expectCode(422, 'POST', secrets, tokenSecret('unnamed')))['message']).toContain(
      'metadata.annotations[kubernetes.io/service-account.name]: Required value',
    );
  });
});

describe('what a service account may do', () => {
  const rbac = '/apis/rbac.authorization.k8s.io/v1';
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }];
  const subjects = [{ kind: 'ServiceAccount', name: 'worker', namespace }];

  it('is what is bound to it: in one namespace, or in all', async () => {
    const user = userOf('worker');
    expect(await mayList(user, { namespace })).toBe(false);
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'list' };
    const inNamespace = `${rbac}/namespaces/${namespace}`;
    await expectCode(201, 'POST', `${inNamespace}/roles`, { body: { metadata: { name: 'list' }, rules } });
    const binding = { body: { metadata: { name: 'list' }, roleRef, subjects } };
    await expectCode(201, 'POST', `${inNamespace}/rolebindings`, binding);
    await eventually('it may', () => mayList(user, { namespace }));
    expect(await mayList(user, {})).toBe(false);

    const name = uniqueName();
    const metadata = { name };
    await expectCode(201, 'POST', `${rbac}/clusterroles`, { body: { metadata, rules } });
    const everywhere = { metadata, roleRef: { ...roleRef, kind: 'ClusterRole', name }, subjects };
    await expectCode(201, 'POST', `${rbac}/clusterrolebindings`, { body: everywhere });
    await eventually('it may everywhere', () => mayList(user, {}));
    await expectCode(200, 'DELETE', `${rbac}/clusterrolebindings/${name}`);
    await expectCode(200, 'DELETE', `${rbac}/clusterroles/${name}`);
    await eventually('it may no more', async () => !(await mayList(user, {})));
  });
});
