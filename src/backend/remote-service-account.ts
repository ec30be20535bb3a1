// The ServiceAccount that is made on another cluster for an environment: installed, given tokens, removed.
import { userFault, type Reason } from '../api/reasons.ts';
import { MAX_TOKEN } from '../domain/environment-kubeconfig.ts';
import { isEqualJson } from '../kube/patch.ts';
import { isRecord } from '../kube/json.ts';
import { secrets, type KubeObject, type ObjectRef, type ResourceType, type Secret } from '../kube/object.ts';
import { resourcePath } from '../kube/path.ts';
import { isAlreadyExists, isNotFound } from '../kube/status-error.ts';
import { parseTime, sleep } from '../lib/clock.ts';
import { isSealed } from '../lib/envelope.ts';
import { isFault, type Fault } from '../lib/fault.ts';
import { isCallFailure, remoteCause } from './remote-cause.ts';
import type { Remote } from './remote-client.ts';

interface ClusterRole extends KubeObject {
  rules?: { apiGroups?: string[]; resources?: string[]; verbs?: string[]; nonResourceURLs?: string[] }[] | null;
}

interface ClusterRoleBinding extends KubeObject {
  roleRef: { apiGroup: string; kind: string; name: string };
  subjects?: { kind: string; name: string; namespace?: string; apiGroup?: string }[];
}

const serviceAccounts: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: false } as const;
const clusterRoles: ResourceType<ClusterRole> = { ...rbac, plural: 'clusterroles', kind: 'ClusterRole' };
const clusterRoleBindings: ResourceType<ClusterRoleBinding> = {
  ...rbac,
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
};

/** Where ServiceAccounts for environments are. */
const NAMESPACE = 'kube-system';
const TOKEN_SECRET_TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_ANNOTATION = 'kubernetes.io/service-account.name';
/** On Secrets that stand for a token; its value is the UID of the environment. */
const ENVIRONMENT_LABEL = 'managed-gitops.redhat.com/environment';

/** Name of the ServiceAccount of an environment, from the environment's UID. */
export const serviceAccountName = (uid: string): string => `argocd-manager-${uid}`;
const roleName = (uid: string): string => `argocd-manager-cluster-role-${uid}`;
const bindingName = (uid: string): string => `argocd-manager-cluster-role-binding-${uid}`;

/** A failed step as a fault of whoever gave the access; what is no failure of a call is thrown as it is. */
const stepFault = (what: string, error: unknown): unknown =>
  isCallFailure(error) && !isFault(error, 'user')
    ? installFault(`unable to ${what}: ${remoteCause(error)}`, error)
    : error;

const installFault = (message: string, cause?: unknown): Fault<Reason> =>
  userFault('UnableToInstallServiceAccount', message, { cause });

const step = async <T>(what: string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    throw stepFault(what, error);
  }
};

const absentIs = async <T>(run: () => Promise<T>): Promise<T | undefined> => {
  try {
    return await run();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/**
 * Creates an object, or corrects the one that is there. One that is right is left alone. One that somebody has begun to remove
 * (see `removeAccount`) is kept from the garbage collector.
 */
const ensure = async <T extends KubeObject>(
  { client, call }: Remote,
  { resource, wanted }: { readonly resource: ResourceType<T>; readonly wanted: T },
  correction: (found: T) => object | undefined,
): Promise<T> => {
  const read = () => client.get(resource, wanted.metadata, call);
  let found = await absentIs(read);
  if (!found) {
    try {
      return await client.create(resource, wanted, call);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      found = await read(); // somebody was faster
    }
  }
  const rescue = found.metadata.ownerReferences?.length ? { metadata: { ownerReferences: null } } : undefined;
  const change = correction(found);
  const body = (change ?? rescue) && { ...rescue, ...change };
  return body ? client.patch(resource, wanted.metadata, { ...call, type: 'merge', body }) : found;
};

const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];

const roleFor = (uid: string): ClusterRole => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: roleName(uid) },
  rules: everything,
});

const bindingFor = (uid: string): ClusterRoleBinding => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: bindingName(uid) },
  roleRef: { apiGroup: rbac.group, kind: 'ClusterRole', name: roleName(uid) },
  subjects: [{ kind: 'ServiceAccount', name: serviceAccountName(uid), namespace: NAMESPACE }],
});

/**
 * Makes the ServiceAccount with all rights what it has to be; `onBegun` is told when there is something that may have to go.
 * @throws Fault('user', 'UnableToInstallServiceAccount')
 */
export const installServiceAccount = async (remote: Remote, uid: string, onBegun: () => void): Promise<void> => {
  const account = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: serviceAccountName(uid), namespace: NAMESPACE },
  };
  await step('create ServiceAccount', () =>
    ensure(remote, { resource: serviceAccounts, wanted: account }, () => undefined),
  );
  onBegun();
  const role = roleFor(uid);
  await step('create or update ClusterRole', () =>
    ensure(remote, { resource: clusterRoles, wanted: role }, ({ rules }) =>
      isEqualJson(rules, everything) ? undefined : { rules: everything },
    ),
  );
  await step('create or update ClusterRoleBinding', () => ensureBinding(remote, bindingFor(uid)));
};

/** What a binding refers to can't be changed: one that refers to another role is made anew. */
const ensureBinding = async (remote: Remote, wanted: ClusterRoleBinding): Promise<void> => {
  const { client, call } = remote;
  const { subjects } = wanted;
  const found = await ensure(remote, { resource: clusterRoleBindings, wanted }, (present) =>
    isEqualJson(present.subjects, subjects) || !isEqualJson(present.roleRef, wanted.roleRef) ? undefined : { subjects },
  );
  if (isEqualJson(found.roleRef, wanted.roleRef)) return;
  await absentIs(() => client.delete(clusterRoleBindings, wanted.metadata, call));
  await client.create(clusterRoleBindings, wanted, call);
};

/** A token, the Secret that it lives and dies with, and when it ends; undefined for one that lasts. */
export interface IssuedToken {
  readonly token: string;
  readonly secretName: string;
  readonly expiresAtMs: number | undefined;
}

/** How long a token is asked for. Servers may give less: some clouds a day. */
const TOKEN_SECONDS = 365 * 24 * 3600;

/**
 * Has the cluster issue a token: by TokenRequest where it has that, else by a Secret that its controller fills in. Either way
 * the token is bound to a Secret, whose deletion revokes it.
 * @throws Fault('user', 'UnableToInstallServiceAccount')
 */
export const issueToken = async (remote: Remote, uid: string): Promise<IssuedToken> => {
  const byRequest = await step('find out how tokens are issued', () => hasTokenRequests(remote));
  const secret = await step('create token Secret', () => createTokenSecret(remote, { uid, byRequest }));
  const secretName = secret.metadata.name;
  if (!byRequest) {
    const token = await step('read token Secret', () => filledToken(remote, secretName));
    return { token: checked(token), secretName, expiresAtMs: undefined };
  }
  const status = await step('create a token', () => requestToken(remote, { uid, secret }));
  const expiresAtMs = parseTime(textOf(status['expirationTimestamp']));
  return { token: checked(textOf(status['token'])), secretName, expiresAtMs };
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const checked = (token: string): string => {
  if (!/^[\x21-\x7e]+$/.test(token) || isSealed(token))
    throw installFault('unable to create a token: the cluster gave none');
  if (token.length <= MAX_TOKEN) return token;
  throw installFault(`unable to create a token: the cluster gave one of more than ${MAX_TOKEN} characters`);
};

const hasTokenRequests = async ({ client, call }: Remote): Promise<boolean> => {
  const answer = await client.raw({ ...call, method: 'GET', path: '/api/v1' });
  const resources = isRecord(answer) && Array.isArray(answer['resources']) ? answer['resources'] : [];
  return resources.some((one: unknown) => isRecord(one) && one['name'] === 'serviceaccounts/token');
};

const createTokenSecret = (
  { client, call }: Remote,
  { uid, byRequest }: { readonly uid: string; readonly byRequest: boolean },
): Promise<Secret> => {
  const account = serviceAccountName(uid);
  const metadata = {
    name: '', // the cluster makes one
    generateName: `${account}-`,
    namespace: NAMESPACE,
    labels: { [ENVIRONMENT_LABEL]: uid },
    annotations: { [ACCOUNT_ANNOTATION]: account },
  };
  const type = byRequest ? 'Opaque' : TOKEN_SECRET_TYPE;
  return client.create(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, type }, call);
};

const requestToken = async (
  { client, call }: Remote,
  { uid, secret }: { readonly uid: string; readonly secret: Secret },
): Promise<Record<string, unknown>> => {
  const { name, uid: secretUid } = secret.metadata;
  const at = { namespace: NAMESPACE, name: serviceAccountName(uid), subresource: 'token' };
  const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name, uid: secretUid };
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [], expirationSeconds: TOKEN_SECONDS, boundObjectRef },
  };
  const answer = await client.raw({ ...call, method: 'POST', path: resourcePath(serviceAccounts, at), body });
  return isRecord(answer) && isRecord(answer['status']) ? answer['status'] : {};
};

const POLL_MS = 1000;

/** The token that a controller writes into the Secret. Waits for it as long as the calls have time. */
const filledToken = async ({ client, call, clock }: Remote, name: string): Promise<string> => {
  for (;;) {
    const { data } = await client.get(secrets, { namespace: NAMESPACE, name }, call);
    if (data?.['token']) return Buffer.from(data['token'], 'base64').toString('utf8');
    await sleep(clock, POLL_MS, call.signal);
  }
};

/** The Secret that a token is bound to, as the token itself says (RFC 7519, not verified); undefined when it doesn't. */
export const secretNameIn = (token: string): string | undefined => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    if (!isRecord(claims)) return undefined;
    const bound = claims['kubernetes.io'];
    const secret = isRecord(bound) && isRecord(bound['secret']) ? bound['secret']['name'] : undefined;
    return textOf(secret) || textOf(claims['kubernetes.io/serviceaccount/secret.name']) || undefined;
  } catch {
    return undefined; // it is no JWT, or none that can be read
  }
};

/** All Secrets for tokens of an environment, those that the original made among them. */
const tokenSecrets = async ({ client, call }: Remote, uid: string): Promise<Map<string, Secret>> => {
  const ofAccount = ({ metadata }: Secret): boolean =>
    metadata.annotations?.[ACCOUNT_ANNOTATION] === serviceAccountName(uid);
  const found = new Map<string, Secret>();
  for (const selection of [
    { labelSelector: `${ENVIRONMENT_LABEL}=${uid}` },
    { fieldSelector: `type=${TOKEN_SECRET_TYPE}` },
  ]) {
    let next: string | undefined;
    do {
      const page = { namespace: NAMESPACE, limit: 100, ...selection, ...(next ? { continue: next } : {}) };
      const { items, metadata } = await client.list(secrets, { ...page, ...call });
      for (const secret of items.filter(ofAccount)) found.set(secret.metadata.name, secret);
      next = metadata.continue;
    } while (next);
  }
  return found;
};

/** Deletes all of an environment's tokens but those of the Secrets that are named; the one of `last` after the others. */
export const revokeTokens = async (
  remote: Remote,
  { uid, keep, last }: { readonly uid: string; readonly keep: readonly string[]; readonly last?: string | undefined },
): Promise<void> => {
  const names = [...(await tokenSecrets(remote, uid)).keys()].filter((name) => !keep.includes(name));
  for (const name of [...names.filter((one) => one !== last), ...names.filter((one) => one === last)]) {
    await absentIs(() => remote.client.delete(secrets, { namespace: NAMESPACE, name }, remote.call));
  }
};

/** A ServiceAccount that was made. */
export interface MadeAccount {
  /** Of the object of the environment that it was made for. */
  readonly uid: string;
  readonly serviceAccount: string;
  /** The account's token that Argo CD uses; undefined for none. It may be for another URL, and that may lead to the same cluster. */
  readonly inUse: string | undefined;
}

/** Whether the token that is in use is of the cluster that is called. @throws Fault('user') when that can't be told. */
const isUsedHere = async ({ client, call }: Remote, { inUse }: MadeAccount): Promise<boolean> => {
  if (inUse === undefined) return false;
  const name = secretNameIn(inUse);
  if (name === undefined) throw installFault('unable to tell whether the account is in use: its token names no Secret');
  const secret = await step('read token Secret', () =>
    absentIs(() => client.get(secrets, { namespace: NAMESPACE, name }, call)),
  );
  return secret !== undefined;
};

const revokeOthers = (remote: Remote, { uid, inUse = '' }: MadeAccount, last?: string): Promise<void> =>
  step('revoke old tokens', () => revokeTokens(remote, { uid, keep: [secretNameIn(inUse) ?? ''], last }));

/**
 * Removes everything that was made, by the account's own token; or the other tokens alone where one is in use. The rights of the
 * account end with its role, so first all else is made to depend on the role: the cluster then collects it.
 * @throws Fault('user', 'UnableToInstallServiceAccount') when it is not certain that all of it goes.
 */
export const removeAccount = async (remote: Remote, made: MadeAccount & { readonly token: string }): Promise<void> => {
  if (await isUsedHere(remote, made)) return revokeOthers(remote, made, secretNameIn(made.token));
  const { client, call } = remote;
  const role = await step('read ClusterRole', () =>
    absentIs(() => client.get(clusterRoles, { name: roleName(made.uid) }, call)),
  );
  const rest = await step('list token Secrets', () => belongings(remote, made));
  if (!role) return step('remove ServiceAccount', () => removeAll(remote, rest));
  const { name, uid: ownerUid = '' } = role.metadata;
  const owner = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name, uid: ownerUid };
  await step('hand over to the garbage collector', async () => {
    for (const { resource, ref } of rest) {
      const body = { metadata: { ownerReferences: [owner] } };
      await absentIs(() => client.patch(resource, ref, { ...call, type: 'merge', body }));
    }
  });
  await step('remove ClusterRole', () =>
    absentIs(() => client.delete(clusterRoles, { name }, { ...call, uid: ownerUid, propagationPolicy: 'Background' })),
  );
};

/** Removes the same by the rights of whoever made it, at once. @throws like `removeAccount` */
export const takeBackAccount = async (remote: Remote, made: MadeAccount): Promise<void> => {
  if (await isUsedHere(remote, made)) return revokeOthers(remote, made);
  const rest = await step('list token Secrets', () => belongings(remote, made));
  const role = { resource: clusterRoles, ref: { name: roleName(made.uid) } };
  await step('remove ServiceAccount', () => removeAll(remote, [...rest, role]));
};

interface Belonging {
  readonly resource: ResourceType;
  readonly ref: ObjectRef;
}

/** What there is besides the role, the account at the end. */
const belongings = async (remote: Remote, { uid, serviceAccount }: MadeAccount): Promise<Belonging[]> => [
  { resource: clusterRoleBindings, ref: { name: bindingName(uid) } },
  ...[...(await tokenSecrets(remote, uid)).keys()].map((name) => ({
    resource: secrets,
    ref: { namespace: NAMESPACE, name },
  })),
  { resource: serviceAccounts, ref: { namespace: NAMESPACE, name: serviceAccount } },
];

const removeAll = async ({ client, call }: Remote, all: readonly Belonging[]): Promise<void> => {
  for (const { resource, ref } of all) await absentIs(() => client.delete(resource, ref, call));
};
