import { describe, expect, it } from 'vitest';
import type { GitOpsDeploymentManagedEnvironment } from '../api/v1alpha1/gitops-deployment-managed-environment.ts';
import { admitManagedEnvironment, validateManagedEnvironment } from './validate-managed-environment.ts';

const environment = (apiURL: string): GitOpsDeploymentManagedEnvironment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeploymentManagedEnvironment',
  metadata: { name: 'prod', namespace: 'team-a' },
  spec: { apiURL, credentialsSecret: 'prod', allowInsecureSkipTLSVerify: false },
});

describe('an environment', () => {
  it.each(['https://api.example.com:6443', 'HTTPS://api.example.com/k8s/clusters/c-1', 'https://[::1]:6443', ''])(
    'may have the URL "%s"',
    (url) => {
      expect(admitManagedEnvironment(environment(url), 'CREATE')).toBeUndefined();
      expect(validateManagedEnvironment(environment(url))).toBeUndefined();
    },
  );

  it.each([
    ['x', 'parse "x": invalid URI for request'],
    ['api.example.com', 'parse "api.example.com": invalid URI for request'],
    ['https://host:port', 'parse "https://host:port": invalid port ":port" after host'],
    ['https://a b/', 'parse "https://a b/": invalid character " " in host name'],
    ['http://api.example.com', 'cluster api url must start with https://'],
    ['api.example.com:6443', 'cluster api url must start with https://'],
    ['/api', 'cluster api url must start with https://'],
  ])('with the URL "%s" is denied at the door and, in the same words, in a pass', (url, text) => {
    expect(admitManagedEnvironment(environment(url), 'CREATE')?.message).toBe(text);
    expect(admitManagedEnvironment(environment(url), 'UPDATE')?.message).toBe(text);
    expect(validateManagedEnvironment(environment(url))).toMatchObject({
      kind: 'user',
      reason: 'UnsupportedAPIURL',
      message: text,
    });
  });

  it.each(['https://api.example.com?x=1', 'https://api.example.com/a&b'])(
    'with the URL "%s" comes in, and its condition tells what is wrong',
    (url) => {
      expect(admitManagedEnvironment(environment(url), 'CREATE')).toBeUndefined();
      expect(validateManagedEnvironment(environment(url))?.message).toBe('the API URL must not have ? or & values');
    },
  );

  it('whose URL holds a password never has it in its condition', () => {
    for (const url of ['https://user:s3cr%t@host', 'https://user:s3cr/et@host']) {
      expect(validateManagedEnvironment(environment(url))?.reason).toBe('UnsupportedAPIURL');
      expect(validateManagedEnvironment(environment(url))?.message).not.toContain('s3cr');
    }
  });

  it('without a spec has nothing that is wrong', () => {
    const { spec: _spec, ...none } = environment('');
    expect([admitManagedEnvironment(none, 'CREATE'), validateManagedEnvironment(none)]).toEqual([undefined, undefined]);
  });
});
