import { describe, expect, test } from 'vitest';
import { configMaps } from './engine.fixture.ts';
import { placesOf, unmanaged, wholeCluster } from './scope.ts';

const roles = { group: 'rbac.authorization.k8s.io', version: 'v1', plural: 'clusterroles', kind: 'ClusterRole' };
const clusterRoles = { ...roles, namespaced: false };
const some = { namespaces: ['api', 'web'], clusterResources: false };
const object = (kind: string, namespace?: string) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name: 'it', ...(namespace ? { namespace } : {}) },
});

describe('a cluster', () => {
  test.each([
    { of: 'as a whole', scope: wholeCluster, inNamespaces: [{}], inNone: [{}] },
    { of: 'of two namespaces', scope: some, inNamespaces: [{ namespace: 'api' }, { namespace: 'web' }], inNone: [] },
    {
      of: 'of two namespaces and what is in none',
      scope: { ...some, clusterResources: true },
      inNamespaces: [{ namespace: 'api' }, { namespace: 'web' }],
      inNone: [{}],
    },
  ])('$of is looked at where its objects are', ({ scope, inNamespaces, inNone }) => {
    expect(placesOf(scope, configMaps)).toEqual(inNamespaces);
    expect(placesOf(scope, clusterRoles)).toEqual(inNone);
  });
});

describe('an object', () => {
  test.each([
    [wholeCluster, object('ConfigMap', 'other'), undefined],
    [wholeCluster, object('ClusterRole'), undefined],
    [some, object('ConfigMap', 'web'), undefined],
    [some, object('ConfigMap', 'other'), 'namespace "other" for ConfigMap "it" is not managed'],
    [some, object('ClusterRole'), 'cluster level ClusterRole "it" can not be managed when in namespaced mode'],
    [{ ...some, clusterResources: true }, object('ClusterRole'), undefined],
  ])('%j has %j: %s', (scope, given, reason) => {
    expect(unmanaged(scope, given)).toBe(reason);
  });
});
