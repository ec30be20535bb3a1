import { describe, expect, test } from 'vitest';
import type { AppProject } from '../../api/argocd/app-project.ts';
import {
  chooseCluster,
  inCluster,
  isDestinationPermitted,
  isKindPermitted,
  isSourcePermitted,
  validateSpec,
} from './project.ts';
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

describe('a destination', () => {
  const one = { name: 'one', server: 'https://one.example.com?managedEnvironment=1' };
  const twin = { name: 'one', server: 'https://other.example.com' };

  test.each([
    [{ name: 'in-cluster' }, inCluster],
    [{ server: 'https://kubernetes.default.svc/' }, inCluster],
    [{ name: 'one' }, one],
    [{ server: one.server }, one],
  ])('%j is a cluster that is known', (destination, expected) => {
    expect(chooseCluster(destination, [inCluster, one])).toBe(expected);
  });

  test.each([
    [{ name: 'two' }, 'there are no clusters with this name: two'],
    [{ name: 'one' }, `there are 2 clusters with the same name: [${one.server} ${twin.server}]`],
    [
      { server: 'https://two.example.com' },
      'error getting cluster by server "https://two.example.com": rpc error: code = NotFound desc = cluster "https://two.example.com" not found',
    ],
    [
      { name: 'one', server: 'https://two.example.com' },
      "application destination can't have both name and server defined: one https://two.example.com",
    ],
    [{ namespace: 'jane' }, 'Destination server missing from app spec'],
  ])('%j is none', (destination, message) => {
    expect(chooseCluster(destination, [inCluster, one, twin])).toBe(message);
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
    expect(validateSpec(application(), open, inCluster)).toEqual([]);
  });
  test('with a project that is not there says so', () => {
    expect(messages(validateSpec(application(), undefined, inCluster))).toEqual([
      'Application referencing project team which does not exist',
    ]);
  });
  test('is told about the repository and the destination at once', () => {
    expect(messages(validateSpec(application(), project({}), inCluster))).toEqual([
      "application repo https://example.com/team/app is not permitted in project 'team'",
      "application destination server 'in-cluster' and namespace 'jane' do not match any of the allowed destinations in project 'team'",
    ]);
  });
  test('that goes to another cluster by its name is told of it by its name', () => {
    const other = { name: 'managed-env-1', server: 'https://other.example.com?managedEnvironment=1' };
    const there = application({ destination: { name: other.name, namespace: 'jane' } });
    expect(messages(validateSpec(there, open, other))).toEqual([
      "application destination server 'managed-env-1' and namespace 'jane' do not match any of the allowed destinations in project 'team'",
    ]);
  });
  test('whose cluster is not known says why', () => {
    expect(messages(validateSpec(application(), open, 'there are no clusters with this name: x'))).toEqual([
      'there are no clusters with this name: x',
    ]);
  });
  test('without a path is not valid', () => {
    const source = { repoURL: 'https://example.com/team/app' };
    expect(validateSpec(application({ source }), open, inCluster)).toHaveLength(1);
  });
});
