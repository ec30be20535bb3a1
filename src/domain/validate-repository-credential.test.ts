import { describe, expect, it } from 'vitest';
import type { GitOpsDeploymentRepositoryCredential } from '../api/v1alpha1/gitops-deployment-repository-credential.ts';
import { admitRepositoryCredential, validateRepositoryCredential } from './validate-repository-credential.ts';

const credential = (repository: string): GitOpsDeploymentRepositoryCredential => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentRepositoryCredential',
  metadata: { name: 'private', namespace: 'team-a' },
  spec: { repository, secret: 'private' },
});

describe('a credential', () => {
  it.each(['https://github.com/org/repo.git', 'ssh://git@github.com/org/repo', 'ssh://git@github.com:22/org/repo'])(
    'may be for %s',
    (url) => {
      expect(admitRepositoryCredential(credential(url), 'CREATE')).toBeUndefined();
      expect(validateRepositoryCredential(credential(url))).toBeUndefined();
    },
  );

  it.each([
    ['x', 'parse "x": invalid URI for request'],
    ['https://host/%zz', 'parse "https://host/%zz": invalid URL escape "%zz"'],
    ['http://github.com/org/repo', 'repository must begin with ssh:// or https://'],
    ['ftp://host/repo', 'repository must begin with ssh:// or https://'],
    ['/srv/repo.git', 'repository must begin with ssh:// or https://'],
  ])('for %s is denied at the door and, in the same words, in a pass', (url, text) => {
    expect(admitRepositoryCredential(credential(url), 'CREATE')?.message).toBe(text);
    expect(admitRepositoryCredential(credential(url), 'UPDATE')?.message).toBe(text);
    expect(validateRepositoryCredential(credential(url))).toMatchObject({
      kind: 'user',
      reason: 'InvalidRepositoryUrl',
      message: text,
    });
  });

  it('in the short form of ssh is stopped at the door, and works where nobody stands there', () => {
    const short = credential('git@github.com:org/repo.git');
    expect(admitRepositoryCredential(short, 'CREATE')?.message).toBe(
      'parse "git@github.com:org/repo.git": invalid URI for request',
    );
    expect(validateRepositoryCredential(short)).toBeUndefined();
  });

  it('without a URL comes in, and its conditions tell what is wrong', () => {
    expect(admitRepositoryCredential(credential(''), 'CREATE')).toBeUndefined();
    expect(validateRepositoryCredential(credential(''))?.reason).toBe('InvalidRepositoryUrl');
    const { spec: _spec, ...none } = credential('');
    expect(validateRepositoryCredential(none)?.reason).toBe('InvalidRepositoryUrl');
  });

  it('whose URL holds a password never has it in its conditions', () => {
    for (const url of ['https://user:s3cr%t@host/x', 'https://user:s3cr/et@host', 'ssh://user:s3 cr@host']) {
      expect(validateRepositoryCredential(credential(url))?.reason).toBe('InvalidRepositoryUrl');
      expect(validateRepositoryCredential(credential(url))?.message).not.toContain('s3');
    }
  });
});
