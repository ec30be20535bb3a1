import { describe, expect, it } from 'vitest';
import { liveDeployment } from '../../test/kit/facts.ts';
import { validateGitOpsDeployment } from './validate-gitops-deployment.ts';

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
