import { describe, expect, it } from 'vitest';
import { liveDeployment } from '../../test/kit/facts.ts';
import type { AdmittedOperation } from './admission.ts';
import { admitGitOpsDeployment, validateGitOpsDeployment } from './validate-gitops-deployment.ts';

const reasonOf = (...options: Parameters<typeof liveDeployment>): string | undefined =>
  validateGitOpsDeployment(liveDeployment(...options), { known: false })?.reason;

describe('a spec', () => {
  it.each([
    ['is right', {}],
    ['may write its type in any case', { type: 'ManuAL' }],
    ['may have the known options', { syncOptions: ['CreateNamespace=true', 'CreateNamespace=false'] }],
    ['may name environment and namespace', { destination: { environment: 'prod', namespace: 'web' } }],
    ['may have an empty destination', { destination: {} }],
    ['may name the root as a dot', { path: '.' }],
    ['may use ssh in its short form', { repoURL: 'git@github.com:org/repo.git' }],
    ['may have a URL of 512 characters', { repoURL: `https://h/${'r'.repeat(502)}` }],
  ])('%s', (_what, options) => {
    expect(reasonOf(options)).toBeUndefined();
  });

  it.each([
    ['PathRequired', { path: '' }],
    ['PathIsRoot', { path: '/' }],
    ['InvalidType', { type: 'auto' }],
    ['InvalidType', { type: '' }],
    ['UnknownSyncOption', { syncOptions: ['CreateNamespace=yes'] }],
    ['NamespaceWithoutEnvironment', { destination: { namespace: 'web' } }],
    ['DestinationNamespaceMissing', { destination: { environment: 'prod' } }],
    ['InvalidRepositoryUrl', { repoURL: '' }],
    ['InvalidRepositoryUrl', { repoURL: 'https://host/%zz' }],
    ['RepositoryUrlTooLong', { repoURL: `https://h/${'r'.repeat(503)}` }],
  ])('is refused because of %s', (reason, options) => {
    expect(reasonOf(options)).toBe(reason);
  });

  it('is told of a missing namespace in other words once it is deployed', () => {
    const deployment = liveDeployment({ destination: { environment: 'prod' } });
    const messages = [false, true].map((known) => validateGitOpsDeployment(deployment, { known })?.message);
    expect(messages).toEqual([
      'the namespace specified in the destination field is invalid',
      'destination namespace specified in the .spec.Destination.Namespace field is invalid',
    ]);
  });

  it('whose URL holds a password never has it in the message', () => {
    const fault = validateGitOpsDeployment(liveDeployment({ repoURL: 'https://user:s3cr%t@host/x' }), { known: false });
    expect(fault?.reason).toBe('InvalidRepositoryUrl');
    expect(fault?.message).not.toContain('s3cr');
  });

  it('is told of the first thing that is wrong, always the same', () => {
    expect(reasonOf({ path: '', type: 'auto', repoURL: '' })).toBe('PathRequired');
    expect(reasonOf({ type: 'auto', repoURL: '' })).toBe('InvalidType');
  });

  it('that is absent is told that its path is missing', () => {
    const { spec: _spec, ...none } = liveDeployment();
    expect(validateGitOpsDeployment(none, { known: false })?.reason).toBe('PathRequired');
  });
});

describe('a deployment at the door', () => {
  const denial = (options: Parameters<typeof liveDeployment>[0], operation: AdmittedOperation = 'CREATE') =>
    admitGitOpsDeployment(liveDeployment(options), operation)?.message;

  it.each([
    ['spec type must be manual or automated', { type: 'Automated' }],
    ['spec type must be manual or automated', { type: '', syncOptions: ['Prune=false'] }],
    [
      'the specified sync option in .spec.syncPolicy.syncOptions is either mispelled or is not supported by GitOpsDeployment',
      { syncOptions: ['CreateNamespace=true', 'Prune=false'], destination: { namespace: 'web' } },
    ],
    [
      'the environment field should not be empty when the namespace is non-empty',
      { destination: { environment: '', namespace: 'web' } },
    ],
  ])('is denied with "%s", on create as on update', (text, options) => {
    expect(denial(options)).toBe(text);
    expect(denial(options, 'UPDATE')).toBe(text);
  });

  it.each([
    ['an empty path', { path: '' }],
    ['the root as its path', { path: '/' }],
    ['a URL that is none', { repoURL: 'https://host/%zz' }],
    ['an environment without a namespace', { destination: { environment: 'prod' } }],
  ])('comes in with %s, which its status tells of', (_what, options) => {
    expect(denial(options)).toBeUndefined();
    expect(reasonOf(options)).toBeDefined();
  });

  it('is denied for its type where it has no spec', () => {
    const { spec: _spec, ...none } = liveDeployment();
    expect(admitGitOpsDeployment(none, 'CREATE')?.reason).toBe('InvalidType');
  });
});
