import { describe, expect, it } from 'vitest';
import {
  checkOf,
  environmentFacts,
  environmentHash,
  environmentLink,
  kubeconfigSecret,
  liveEnvironment,
  liveUid,
} from '../../test/kit/outside-facts.ts';
import { isFault } from '../lib/fault.ts';
import type { CheckRules } from './check-facts.ts';
import type { EnvironmentFacts } from './environment-facts.ts';
import { planEnvironment, writesEnvironment } from './environment-plan.ts';

const rules: CheckRules = { recheckMs: 600_000, fingerprints: (hash) => [hash] };
/** After the key was exchanged: what is kept begins with another letter. */
const exchanged: CheckRules = { ...rules, fingerprints: (hash) => [`b${hash}`, `a${hash}`, hash] };
const atSecond = (second: number): number => Date.UTC(2026, 0, 1, 0, 0, second);
const plan = (facts: EnvironmentFacts, second = 0, by = rules) => planEnvironment(facts, by, atSecond(second));
const told = (fault: unknown) => isFault(fault) && [fault.kind, fault.reason];
const thrownBy = (facts: EnvironmentFacts) => {
  try {
    return plan(facts);
  } catch (error) {
    return told(error);
  }
};

const withAccount = liveEnvironment({ createNewServiceAccount: true });
const accountHash = environmentHash(withAccount);
const account = (rows: Parameters<typeof environmentLink>[0] = {}): Partial<EnvironmentFacts> => ({
  environment: withAccount,
  check: checkOf(accountHash),
  links: [environmentLink({ inputHash: accountHash, serviceAccount: 'made', sealedToken: 'issued', ...rows })],
});

describe('a plan for an environment', () => {
  it('makes rows of one that a check says works', () => {
    const { write, ask, fault, remove } = plan(environmentFacts());
    expect(write).toMatchObject({ environmentUid: liveUid, generation: 1, link: undefined });
    expect(write?.found).toEqual({
      inputHash: environmentHash(),
      token: 'token',
      expiresAtMs: undefined,
      serviceAccount: undefined,
    });
    expect([ask, fault, remove]).toEqual([undefined, undefined, []]);
  });

  it('writes nothing where the rows say what it says', () => {
    const facts = environmentFacts({ links: [environmentLink()] });
    expect(writesEnvironment(plan(facts))).toBe(false);
    expect(plan(facts)).toMatchObject({ ask: undefined, fault: undefined });
  });

  it.each([
    ['the host', { host: 'https://other.example' }],
    ['how certificates are looked at', { insecure: false }],
    ['the permission', { allowed: false }],
    ['what they were made from', { inputHash: 'another' }],
  ])('writes rows again where they differ in %s', (_what, rows) => {
    expect(plan(environmentFacts({ links: [environmentLink(rows)] })).write?.link?.id).toBe('environment');
  });

  it.each([
    ['are gone', { rows: undefined }],
    ['are linked under another name', { inPlace: false }],
  ])('writes rows that %s', (_what, link) => {
    expect(plan(environmentFacts({ links: [environmentLink({}, link)] })).write).toBeDefined();
  });

  it('asks before it writes, and says meanwhile that it waits', () => {
    const { write, ask, fault } = plan(environmentFacts({ check: undefined }));
    expect([write, told(fault)]).toEqual([undefined, ['waiting', 'CheckPending']]);
    expect(ask).toMatchObject({ wish: { inputHash: environmentHash() }, issued: undefined });
  });

  it('asks anew about a Secret that has changed, and leaves the rows as they were until then', () => {
    const links = [environmentLink()];
    const { write, ask, fault } = plan(environmentFacts({ links, secret: kubeconfigSecret('other') }));
    expect([write, told(fault)]).toEqual([undefined, ['waiting', 'CheckPending']]);
    expect(ask?.wish.access.token).toBe('other');
  });

  it('asks again when the answer is old, and goes by the old one until then', () => {
    const facts = environmentFacts({ links: [environmentLink()] });
    expect(plan(facts, 599).ask).toBeUndefined();
    expect(plan(facts, 600)).toMatchObject({
      ask: { wish: { host: 'https://cluster.example:6443' } },
      fault: undefined,
    });
  });

  it('leaves the rows of one that does not work as they are, and tells why', () => {
    const check = checkOf(environmentHash(), { reason: 'UnableToCreateClient', message: 'no' });
    const { write, fault } = plan(environmentFacts({ check, links: [environmentLink({ inputHash: 'former' })] }));
    expect([write, told(fault), fault?.message]).toEqual([undefined, ['user', 'UnableToCreateClient'], 'no']);
  });

  it('does not read what is in the Secret of one that is being deleted', () => {
    const environment = liveEnvironment({}, { deleting: true });
    expect(plan(environmentFacts({ environment, secret: undefined }))).toMatchObject({
      write: undefined,
      fault: undefined,
    });
  });
});

describe('an environment that has a ServiceAccount made', () => {
  it('is asked for a token where there is none', () => {
    const facts = environmentFacts({ environment: withAccount, check: undefined });
    expect(plan(facts).ask).toMatchObject({ issued: undefined });
  });

  it('gets what the check has brought', () => {
    const found = { inputHash: accountHash, token: 'issued', expiresAtMs: 1, serviceAccount: 'made' };
    const facts = environmentFacts({ environment: withAccount, check: checkOf(accountHash), found });
    expect(plan(facts)).toMatchObject({ write: { found }, ask: undefined });
  });

  it('is asked again where another process had the answer, and its token has gone with it', () => {
    const { write, ask, fault } = plan(environmentFacts({ environment: withAccount, check: checkOf(accountHash) }));
    expect([write, told(fault)]).toEqual([undefined, ['waiting', 'CheckPending']]);
    expect(ask).toBeDefined();
  });

  it('keeps its token as long as nothing changes, and says when it ends to whoever checks', () => {
    const facts = environmentFacts(account({ tokenExpiresAt: '2026-02-01T00:00:00.000000Z' }));
    expect(plan(facts)).toEqual({ remove: [], write: undefined, ask: undefined, fault: undefined });
    const issued = { sealedToken: 'issued', expiresAtMs: Date.UTC(2026, 1), adopted: false };
    expect(plan(facts, 600).ask?.issued).toEqual(issued);
  });

  it.each([
    ['of another cluster', { host: 'https://other.example' }],
    ['of another wish', { inputHash: 'another' }],
    ["that is the user's own", { serviceAccount: null }],
  ])('does not ask to keep a token %s', (_what, rows) => {
    expect(plan(environmentFacts({ ...account(rows), check: undefined })).ask?.issued).toBeUndefined();
  });
});

describe('what Argo CD uses at present', () => {
  it('is told to whoever makes another token, so that it is not revoked too soon', () => {
    const asked = (rows: Parameters<typeof account>[0]) =>
      plan(environmentFacts({ ...account(rows), check: undefined })).ask;
    const made = { issued: undefined, sealedInUse: 'issued', accountInUse: true };
    expect(asked({ inputHash: 'another' })).toMatchObject(made);
    expect(asked({ host: 'https://other.example' }), 'which may be another name of this cluster').toMatchObject(made);
    expect(asked({ serviceAccount: null })?.accountInUse, "the user's own").toBe(false);
    expect(asked({ serviceAccount: null, inputHash: null })?.accountInUse, "the original's").toBe(true);
  });
});

describe('an environment of the original', () => {
  it('has its token checked before another one is made', () => {
    const facts = environmentFacts({ ...account({ inputHash: null, serviceAccount: null }), check: undefined });
    expect(plan(facts).ask?.issued).toEqual({ sealedToken: 'issued', expiresAtMs: undefined, adopted: true });
  });

  it('is noted as ours once a check has said that it works', () => {
    const { write } = plan(environmentFacts({ links: [environmentLink({ inputHash: null })] }));
    expect(write).toMatchObject({ wish: { inputHash: environmentHash() }, found: { token: 'token' } });
  });
});

describe('after the key was exchanged, an environment', () => {
  it('is asked again, with the token that was made for it', () => {
    const facts = environmentFacts({ ...account({ inputHash: `a${accountHash}` }), check: checkOf(`a${accountHash}`) });
    expect(plan(facts, 0, exchanged).ask).toMatchObject({
      wish: { inputHash: `b${accountHash}` },
      issued: { sealedToken: 'issued', adopted: true },
    });
  });

  it('is noted under the new one when it is known to work', () => {
    const inputHash = `b${environmentHash()}`;
    const facts = environmentFacts({ check: checkOf(inputHash), links: [environmentLink()] });
    expect(plan(facts, 0, exchanged).write).toMatchObject({ wish: { inputHash }, found: { inputHash } });
    const noted = environmentFacts({ check: checkOf(inputHash), links: [environmentLink({ inputHash })] });
    expect(writesEnvironment(plan(noted, 0, exchanged))).toBe(false);
  });
});

describe('an environment that is gone', () => {
  const gone = environmentLink({}, { environmentUid: 'gone' });

  it('is removed, before anything is made for another one of its name', () => {
    const { remove, write, ask } = plan(environmentFacts({ links: [gone], gone: new Set(['gone']), check: undefined }));
    expect([remove, write, ask]).toEqual([[gone], undefined, undefined]);
  });

  it('is not removed as long as nothing proves it', () => {
    expect(plan(environmentFacts({ environment: undefined, links: [gone] })).remove).toEqual([]);
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
    ['from an older version than was seen before', { links: [environmentLink({}, { generation: 2 })] }, 'StaleCache'],
  ])('%s', (_what, facts, reason) => {
    expect(thrownBy(environmentFacts(facts))).toEqual(['waiting', expect.stringContaining(reason)]);
  });

  it('of an older version, unless the API server itself has said so', () => {
    const links = [environmentLink({ inputHash: 'former' }, { generation: 2 })];
    expect(plan(environmentFacts({ links, live: true })).write).toBeDefined();
  });

  it('without a Secret', () => {
    expect(thrownBy(environmentFacts({ secret: undefined }))).toEqual(['user', 'SecretNotFound']);
  });
});
