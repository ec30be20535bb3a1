import { describe, expect, it } from 'vitest';
import { anOperation } from '../../test/kit/facts.ts';
import {
  checkOf,
  credentialFacts,
  credentialHash,
  credentialLink,
  liveCredential,
  liveUid,
  passwordSecret,
} from '../../test/kit/outside-facts.ts';
import { isFault } from '../lib/fault.ts';
import type { CredentialFacts } from './credential-facts.ts';
import { planCredential, writesCredential, type CredentialRules } from './credential-plan.ts';

const rules: CredentialRules = { recheckMs: 600_000, retryFailedMs: 10_000, fingerprints: (hash) => [hash] };
const atSecond = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second);
const plan = (facts: CredentialFacts, second = 0, by = rules) => planCredential(facts, by, atSecond(second));
const told = (fault: unknown) => (isFault(fault) ? [fault.kind, fault.reason, fault.message] : undefined);
const thrownBy = (facts: CredentialFacts) => {
  try {
    return plan(facts);
  } catch (error) {
    return told(error);
  }
};

describe('a plan for a credential', () => {
  it('makes a row of one that the Git server has accepted, and tells the agent', () => {
    const { write, ask, fault, remove } = plan(credentialFacts());
    expect(write).toMatchObject({ credentialUid: liveUid, generation: 1, link: undefined, tell: true });
    expect([ask, fault, remove]).toEqual([undefined, undefined, []]);
  });

  it('writes nothing where the row says what it says', () => {
    const facts = credentialFacts({ links: [credentialLink()] });
    expect(writesCredential(plan(facts))).toBe(false);
    expect(plan(facts)).toMatchObject({ ask: undefined, fault: undefined });
  });

  it('writes a row that was made from something else; whether the agent is told, the values decide', () => {
    expect(plan(credentialFacts({ links: [credentialLink({ inputHash: 'former' })] })).write).toMatchObject({
      tell: false,
    });
  });

  it.each([
    ['whose row is gone', { links: [credentialLink({}, { row: undefined })] }],
    ['that is linked under another name', { links: [credentialLink({}, { inPlace: false })] }],
    ['whose repository the project lacks', { links: [credentialLink()], repositoryKnown: false }],
    ["whose row is another tenant's", { links: [credentialLink({ userId: 'other' })] }],
    ['whose row is for another engine', { links: [credentialLink({ instanceId: 'other' })] }],
  ])('tells the agent of one %s', (_what, facts) => {
    expect(plan(credentialFacts(facts)).write).toMatchObject({ tell: true });
  });

  it('asks before it writes, and says meanwhile that it waits', () => {
    const { write, ask, fault } = plan(credentialFacts({ check: undefined }));
    expect([write, told(fault)?.[1]]).toEqual([undefined, 'CheckPending']);
    expect(ask).toMatchObject({ password: 'password', inputHash: credentialHash() });
  });

  it('asks anew about a Secret that has changed, and leaves the row as it was until then', () => {
    const { write, ask, fault } = plan(credentialFacts({ links: [credentialLink()], secret: passwordSecret('other') }));
    expect([write, told(fault)?.[1], ask?.password]).toEqual([undefined, 'CheckPending', 'other']);
  });

  it('asks again when the answer is old, and goes by the old one until then', () => {
    const facts = credentialFacts({ links: [credentialLink()] });
    expect(plan(facts, 599).ask).toBeUndefined();
    expect(plan(facts, 600)).toMatchObject({ ask: { username: 'git' }, fault: undefined });
  });

  it('leaves the row of one that is refused as it is, and tells why', () => {
    const check = checkOf(credentialHash(), { reason: 'InvalidCredentials', message: 'no' });
    const { write, fault } = plan(credentialFacts({ check, links: [credentialLink({ inputHash: 'former' })] }));
    expect([write, told(fault)]).toEqual([undefined, ['user', 'InvalidCredentials', 'no']]);
  });

  it('notes under a new key what was noted under the old one, without telling the agent', () => {
    const exchanged: CredentialRules = { ...rules, fingerprints: (hash) => [`b${hash}`, hash] };
    const links = [credentialLink()];
    expect(plan(credentialFacts({ links }), 0, exchanged).ask).toMatchObject({ inputHash: `b${credentialHash()}` });
    const checked = credentialFacts({ links, check: checkOf(`b${credentialHash()}`) });
    expect(plan(checked, 0, exchanged).write).toMatchObject({
      tell: false,
      wish: { inputHash: `b${credentialHash()}` },
    });
  });
});

describe('a credential of the original', () => {
  it('is noted as ours once a check has said that it works, without telling the agent', () => {
    const { write } = plan(credentialFacts({ links: [credentialLink({ inputHash: null })] }));
    expect(write).toMatchObject({ tell: false, wish: { inputHash: credentialHash() } });
  });
});

describe('what the agent says of a credential', () => {
  const withOperations = (...operations: Parameters<typeof anOperation>[]) =>
    credentialFacts({ links: [credentialLink({}, { operations: operations.map((one) => anOperation(...one)) })] });

  it('is waited for', () => {
    expect(told(plan(withOperations(['Waiting'])).fault)).toEqual([
      'waiting',
      'OperationPending',
      'waiting for the agent',
    ]);
    const blocked = withOperations(['In_Progress', { message: 'Argo CD is away' }]);
    expect(told(plan(blocked).fault)).toEqual(['waiting', 'OperationPending', 'Argo CD is away']);
  });

  it('is told when it failed, and tried again after a while', () => {
    const failed = withOperations(['Failed', { message: 'too large' }]);
    expect(told(plan(failed, 9).fault)).toEqual(['user', 'OperationFailed', 'too large']);
    expect(plan(failed, 9).write).toBeUndefined();
    expect(plan(failed, 10).write).toMatchObject({ tell: true });
  });

  it('is not asked for a second time while it is being tried', () => {
    expect(plan(withOperations(['Failed'], ['Waiting', { second: 1 }]), 60).write).toBeUndefined();
  });

  it('is forgotten when it went well after a failure', () => {
    expect(plan(withOperations(['Failed'], ['Completed', { second: 1 }]), 60).fault).toBeUndefined();
  });
});

describe('a credential that is gone', () => {
  const gone = credentialLink({}, { credentialUid: 'gone' });

  it('is removed, before anything is made for another one of its name', () => {
    const { remove, write, ask } = plan(credentialFacts({ links: [gone], gone: new Set(['gone']), check: undefined }));
    expect([remove, write, ask]).toEqual([[gone], undefined, undefined]);
  });

  it('is not removed as long as nothing proves it', () => {
    expect(plan(credentialFacts({ credential: undefined, links: [gone] })).remove).toEqual([]);
  });

  it('is not checked while it is being deleted', () => {
    const credential = liveCredential({}, { deleting: true });
    expect(plan(credentialFacts({ credential, check: undefined }))).toMatchObject({ ask: undefined, fault: undefined });
  });
});

describe('nothing is made', () => {
  it.each([
    [
      'in a namespace that goes away',
      { namespace: { name: 'team-a', uid: 'namespace-uid', deleting: true } },
      'Namespace',
    ],
    ['in a namespace that nobody knows', { namespace: undefined }, 'Namespace'],
    ['from an older version than was seen before', { links: [credentialLink({}, { generation: 2 })] }, 'StaleCache'],
  ])('%s', (_what, facts, reason) => {
    expect(thrownBy(credentialFacts(facts))).toEqual(['waiting', expect.stringContaining(reason), expect.any(String)]);
  });

  it('of an older version, unless the API server itself has said so', () => {
    const links = [credentialLink({ inputHash: 'former' }, { generation: 2 })];
    expect(plan(credentialFacts({ links, live: true })).write).toBeDefined();
  });

  it('without a Secret', () => {
    expect(thrownBy(credentialFacts({ secret: undefined }))).toMatchObject([
      'user',
      'SecretNotFound',
      expect.any(String),
    ]);
  });
});
