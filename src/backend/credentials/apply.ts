// Makes the rows what the plan says, together with the Operation that tells the agent, in one transaction.
import { allowRepository } from '../../db/queries/application.ts';
import {
  removeCredential,
  selectCredentialValues,
  writeCredential,
  type CredentialValues,
} from '../../db/queries/credential.ts';
import { linkResource } from '../../db/queries/resource-link.ts';
import type { CredentialFacts, CredentialLink } from '../../domain/credential-facts.ts';
import { planCredential, writesCredential, type CredentialWrite } from '../../domain/credential-plan.ts';
import { normalizeGitUrl } from '../../domain/repository-url.ts';
import { utcText } from '../../lib/clock.ts';
import type { Keyring } from '../../lib/envelope.ts';
import { releaseRepository } from '../repositories.ts';
import { engineInstanceOf, lockTenantOf, tellAgent, type TenantWork } from '../tenant.ts';
import type { CredentialContext } from './context.ts';
import { gatherCredentialAgain } from './gather.ts';

/** An open transaction that holds the tenant's lock, and what was read under it. */
interface Work extends TenantWork, Pick<CredentialContext, 'keyring'> {
  readonly facts: CredentialFacts;
}

/** What was written. */
export interface AppliedCredential {
  /** Links that are gone. */
  readonly removed: readonly CredentialLink[];
  /** Operations that nobody waits for. */
  readonly operations: readonly string[];
}

/**
 * Carries out the plan for `facts`: locks the tenant, reads the rows again, plans again, writes what differs.
 * @throws what planning throws, with nothing written.
 */
export const applyCredentialPlan = async (
  context: CredentialContext,
  facts: CredentialFacts,
): Promise<AppliedCredential> => {
  const { db, random, clock, lost, keyring, rules } = context;
  const nowMs = clock.now();
  const now = utcText(nowMs);
  return db.transaction('credential-apply', async (tx) => {
    const userId = await lockTenantOf(tx, facts, { random, now });
    const locked = { ...(await gatherCredentialAgain(tx, facts)), userId };
    const plan = planCredential(locked, rules, nowMs);
    if (!writesCredential(plan)) return { removed: [], operations: [] };
    const work: Work = { tx, facts: locked, userId, random, now, keyring };
    const operations: string[] = [];
    for (const link of plan.remove) operations.push(await removeLink(work, link));
    if (plan.write) await writeRow(work, plan.write);
    lost.throwIfAborted(); // then this is rolled back: whoever works now may have planned from something newer
    return { removed: plan.remove, operations };
  });
};

const engineOf = (work: Work): Promise<string> =>
  engineInstanceOf(work, work.facts.engine, work.facts.engineInstanceId);

const tell = (work: Work, id: string, instanceId: string): Promise<string> =>
  tellAgent(work, { type: 'RepositoryCredentials', resourceId: id, instanceId });

/** Argo CD forgets the credential; the project loses the repository unless something else uses it. */
const removeLink = async (work: Work, link: CredentialLink): Promise<string> => {
  const { tx, userId } = work;
  await removeCredential(tx, { id: link.id, uid: link.credentialUid });
  await releaseRepository(tx, link.row?.userId ?? userId, normalizeGitUrl(link.row?.url ?? ''));
  return tell(work, link.id, link.row?.instanceId ?? (await engineOf(work)));
};

const writeRow = async (
  work: Work,
  { link, wish, credentialUid, generation, tell: mustTell }: CredentialWrite,
): Promise<void> => {
  const { tx, facts, userId, random, now, keyring } = work;
  const { url, inputHash } = wish;
  const instanceId = await engineOf(work);
  const id = link?.row ? link.id : random.uuid();
  const before = await selectCredentialValues(tx, id);
  const { username, password, sshPrivateKey, secretName: secret } = wish;
  const values: CredentialValues = { url, username, password, sshPrivateKey, secret };
  const sealed = { ...values, password: keyring.seal(password), sshPrivateKey: keyring.seal(sshPrivateKey) };
  await writeCredential(tx, { id, userId, instanceId, ...sealed, inputHash, now });
  await linkResource(tx, {
    kind: 'GitOpsDeploymentRepositoryCredential',
    uid: credentialUid,
    name: facts.name,
    namespace: facts.namespace?.name ?? '',
    namespaceUid: facts.namespaceUid,
    generation,
    key: id,
  });
  const repository = normalizeGitUrl(url);
  await allowRepository(tx, { newId: random.uuid(), userId, url: repository, now });
  const former = normalizeGitUrl(link?.row?.url ?? '');
  if (link?.row && former !== repository) await releaseRepository(tx, link.row.userId, former);
  // What the original has written most often says the same already.
  if (mustTell || !before || !isSame(opened(before, keyring), values)) await tell(work, id, instanceId);
};

const opened = (values: CredentialValues, keyring: Keyring): CredentialValues => ({
  ...values,
  password: keyring.open(values.password),
  sshPrivateKey: keyring.open(values.sshPrivateKey),
});

const isSame = (one: CredentialValues, other: CredentialValues): boolean =>
  one.url === other.url &&
  one.username === other.username &&
  one.password === other.password &&
  one.sshPrivateKey === other.sshPrivateKey &&
  one.secret === other.secret;
