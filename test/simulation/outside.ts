// The clusters and Git servers of a simulation: they take what is right, refuse what is not, and fail when the seed says so.
import { credentialMessages, environmentMessages } from '../../src/api/messages.ts';
import { userFault } from '../../src/api/reasons.ts';
import type { Outside } from '../../src/backend/outside-lanes.ts';
import type { Removal } from '../../src/backend/remote-cluster.ts';
import type { Gate } from '../../src/lib/gate.ts';
import type { Faults } from './faults-plan.ts';
import { clusterAt } from './script-names.ts';

/** What clusters and Git servers take. */
export const adminToken = 'token-of-an-administrator';
/** Likewise. */
export const rightPassword = 'the-right-password';

/** Clusters and Git servers. */
export interface SimulatedOutside {
  /** As one process reaches them. */
  reachedBy(gate: Gate): Outside;
  /** The tokens of the ServiceAccounts that are there, by `accountKey`. */
  readonly accounts: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Names a ServiceAccount of all clusters. */
export const accountKey = (host: string, serviceAccount: string): string => `${clusterAt(host)} ${serviceAccount}`;

type CheckCluster = Outside['checkCluster'];

/** A ServiceAccount that the service has removed, with the tokens that it had. */
export interface RemovedAccount {
  /** Of the environment. */
  readonly uid: string;
  readonly host: string;
  readonly tokens: ReadonlySet<string>;
}

/** Creates them, with no ServiceAccount yet. */
export const createSimulatedOutside = (
  faults: Faults,
  onRemoved: (account: RemovedAccount) => void,
): SimulatedOutside => {
  const accounts = new Map<string, ReadonlySet<string>>();
  let issuedCount = 0;

  const ask = <T>(carryOut: () => T, unanswered: () => Error): T => {
    const fault = faults.outside();
    if (fault === 'refused') throw unanswered();
    const answer = carryOut();
    if (fault === 'done-lost') throw unanswered();
    return answer;
  };
  const check = (
    wish: Parameters<CheckCluster>[0],
    of: Parameters<CheckCluster>[1],
  ): Awaited<ReturnType<CheckCluster>> => {
    const { token, host } = { ...wish.access, ...wish };
    if (token !== adminToken) throw notValidated();
    if (!wish.newServiceAccount) return { token, expiresAtMs: undefined, serviceAccount: undefined };
    const serviceAccount = `argocd-manager-${of.uid}`;
    const key = accountKey(host, serviceAccount);
    const present = accounts.get(key) ?? new Set<string>();
    if (of.issued && present.has(of.issued.token)) {
      accounts.set(key, new Set([of.issued.token]));
      return { ...of.issued, serviceAccount };
    }
    const used = of.issued ? undefined : of.inUse;
    const issued = `token-${(issuedCount += 1)}`;
    accounts.set(key, new Set([issued, ...[...present].filter((one) => one === used)]));
    return { token: issued, expiresAtMs: undefined, serviceAccount };
  };
  const keepOnly = (key: string, token: string): Removal => {
    accounts.set(key, new Set([token]));
    return 'done';
  };
  return {
    accounts,
    reachedBy: (gate) => ({
      checkCluster: (wish, of) =>
        gate({ to: 'api', name: `asks the cluster of ${of.uid}` }, async () => {
          of.signal.throwIfAborted();
          return ask(() => check(wish, of), notValidated);
        }),
      removeAccount: ({ uid, host, serviceAccount, token, inUse }, signal) =>
        gate({ to: 'api', name: `removes ${serviceAccount}` }, async () => {
          signal.throwIfAborted();
          const key = accountKey(host, serviceAccount);
          return ask((): Removal => {
            const tokens = accounts.get(key) ?? new Set<string>();
            if (!tokens.has(token)) return 'refused';
            if (inUse !== undefined && tokens.has(inUse)) return keepOnly(key, inUse);
            accounts.delete(key);
            onRemoved({ uid, host, tokens });
            return 'done';
          }, notValidated);
        }),
      checkRepository: (wish, signal) =>
        gate({ to: 'git', name: `ls-remote ${wish.url}` }, async () => {
          signal.throwIfAborted();
          const { url, secretName, password } = wish;
          const unreachable = () => userFault('RepositoryUnreachable', credentialMessages.unreachable(url, 'injected'));
          ask(() => {
            if (password === rightPassword) return;
            throw userFault('InvalidCredentials', credentialMessages.invalid(secretName, url));
          }, unreachable);
        }),
    }),
  };
};

const notValidated = () => userFault('UnableToValidateClusterCredentials', environmentMessages.notValidated);
