import { describe, expect, test } from 'vitest';
import type { AppProject } from '../../api/argocd/app-project.ts';
import { isDestinationPermitted, isKindPermitted, isSourcePermitted, validateSpec } from './project.ts';
import type { Application } from './shapes.ts';

const project = (spec: AppProject['spec']): AppProject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name: 'team' },
  spec,
});

const application = (spec: Partial<Application['spec']> = {}): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web' },
  spec: {
    project: 'team',
    source: { repoURL: 'https://example.com/team/app', path: 'deploy' },
    destination: { name: 'in-cluster', namespace: 'jane' },
    ...spec,
  },
});

const open = project({ sourceRepos: ['*'], destinations: [{ name: 'in-cluster', namespace: '*' }] });
const messages = (found: ReturnType<typeof validateSpec>): string[] => found.map(({ message }) => message);

describe('sources', () => {
  test.each([
    [['https://example.com/team/app.git'], true],
    [['https://EXAMPLE.com/team/*'], true],
    [['https://example.com/*'], false],
    [['*', '!https://example.com/team/*'], false],
    [['https://example.com/other'], false],
    [[], false],
  ])('%j permits https://example.com/team/app: %s', (sourceRepos, expected) => {
    expect(isSourcePermitted(project({ sourceRepos }), 'https://example.com/team/app')).toBe(expected);
  });
});

describe('destinations', () => {
  const wanted = { name: 'in-cluster', server: 'https://kubernetes.default.svc', namespace: 'jane' };
  test.each([
    [[{ name: 'in-cluster', namespace: '*' }], true],
    [[{ server: 'https://kubernetes.default.svc', namespace: 'jane' }], true],
    [[{ server: '*', namespace: 'j*' }], true],
    [[{ name: 'in-cluster', namespace: 'bob' }], false],
    [[{ name: 'other', namespace: '*' }], false],
    [[{ namespace: '*' }], false],
    [
      [
        { server: '*', namespace: '*' },
        { server: '*', namespace: '!jane' },
      ],
      false,
    ],
  ])('%j permits in-cluster/jane: %s', (destinations, expected) => {
    expect(isDestinationPermitted(project({ destinations }), wanted)).toBe(expected);
  });
});

describe('kinds', () => {
  const role = { group: 'rbac.authorization.k8s.io', kind: 'ClusterRole' };
  test('without a list no cluster-scoped and every namespaced kind is permitted', () => {
    expect(isKindPermitted(open, role, false)).toBe(false);
    expect(isKindPermitted(open, { group: '', kind: 'Secret' }, true)).toBe(true);
  });
  test('lists permit and forbid by pattern', () => {
    const spec = {
      clusterResourceWhitelist: [{ group: '*', kind: 'Cluster*' }],
      namespaceResourceBlacklist: [{ group: '', kind: 'Secret' }],
    };
    expect(isKindPermitted(project(spec), role, false)).toBe(true);
    expect(isKindPermitted(project(spec), { group: '', kind: 'Secret' }, true)).toBe(false);
  });
});

describe('a spec', () => {
  test('that its project permits is valid', () => {
    expect(validateSpec(application(), open)).toEqual([]);
  });
  test('with a project that is not there says so', () => {
    expect(messages(validateSpec(application(), undefined))).toEqual([
      'Application referencing project team which does not exist',
    ]);
  });
  test('is told about the repository and the destination at once', () => {
    expect(messages(validateSpec(application(), project({})))).toEqual([
      "application repo https://example.com/team/app is not permitted in project 'team'",
      "application destination server 'https://kubernetes.default.svc' and namespace 'jane' do not match any of the allowed destinations in project 'team'",
    ]);
  });
  test('that names another cluster learns that there is only one', () => {
    const [message = ''] = messages(validateSpec(application({ destination: { name: 'managed-env-1' } }), open));
    expect(message).toContain('there are no clusters with this name: managed-env-1');
    expect(message).toContain('the sandbox has one cluster');
  });
  test('without a path is not valid', () => {
    const source = { repoURL: 'https://example.com/team/app' };
    expect(validateSpec(application({ source }), open)).toHaveLength(1);
  });
});
