import { describe, expect, test } from 'vitest';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { bodyToCreate, bodyToPatch, covers, isSynced, prepareDesired } from './compare.ts';

const configMaps: ResourceType = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};
const plain = (data: Record<string, string>): KubeObject & { data: Record<string, string> } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'settings' },
  data,
});
const desiredOf = (object: KubeObject): KubeObject =>
  prepareDesired(object, { application: 'web', namespace: 'jane', resource: configMaps });

describe('covering', () => {
  test.each([
    [{ a: 1 }, { a: 1, b: 2 }, true],
    [{ a: 1 }, { a: '1' }, false],
    [{ a: {} }, {}, true],
    [{ a: null }, {}, true],
    [{ a: null }, { a: 1 }, false],
    [{ a: [] }, {}, true],
    [{ a: [{ x: 1 }] }, { a: [{ x: 1, y: 2 }] }, true],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: [1] }, { a: [1, 2] }, false],
    [{ a: { b: { c: null } } }, { a: {} }, true],
    [{ a: { b: 1 } }, { a: 'text' }, false],
    [{ limits: { cpu: '1000m', memory: '1Gi' } }, { limits: { cpu: '1', memory: '1024Mi' } }, true],
    [{ limits: { cpu: 1 } }, { limits: { cpu: '1' } }, true],
    [{ data: { cpu: '1000m' } }, { data: { cpu: '1' } }, false],
  ])('%j by %j: %s', (want, live, expected) => {
    expect(covers(want, live)).toBe(expected);
  });
});

describe('an object as it is applied', () => {
  test('carries the tracking label and the namespace, and none of what the server owns', () => {
    const given = {
      ...plain({ a: '1' }),
      metadata: { name: 'settings', labels: { team: 'x' }, uid: 'u', creationTimestamp: 'now' },
      status: { ready: true },
    };
    expect(desiredOf(given)).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'jane', labels: { team: 'x', 'app.kubernetes.io/instance': 'web' } },
      data: { a: '1' },
    });
  });
  test("a Secret's stringData becomes data", () => {
    const secret = { ...plain({}), kind: 'Secret', data: undefined, stringData: { token: 'abc' } };
    expect(desiredOf(secret)).toMatchObject({ data: { token: 'YWJj' } });
    expect(desiredOf(secret)).not.toHaveProperty('stringData');
  });
  test('a cluster-scoped one is in no namespace', () => {
    const resource = { ...configMaps, namespaced: false };
    expect(prepareDesired(plain({}), { application: 'web', namespace: 'jane', resource }).metadata.namespace).toBe(
      undefined,
    );
  });
});

describe('three ways', () => {
  const live = { ...bodyToCreate(desiredOf(plain({ a: '1', b: '2' }))) };

  test('what was applied is in sync, also with fields that others added', () => {
    expect(isSynced(desiredOf(plain({ a: '1', b: '2' })), Object.assign({ immutable: false }, live))).toBe(true);
  });
  test('a field that left Git is out of sync until it is removed', () => {
    const desired = desiredOf(plain({ a: '1' }));
    expect(isSynced(desired, live)).toBe(false);
    expect(bodyToPatch(desired, live)).toMatchObject({ data: { a: '1', b: null } });
  });
  test('a field of someone else is neither a difference nor removed', () => {
    const foreign = { ...live, data: { a: '1', b: '2', theirs: 'x' } };
    const desired = desiredOf(plain({ a: '1', b: '2' }));
    expect(isSynced(desired, foreign)).toBe(true);
    expect(bodyToPatch(desired, foreign)).not.toHaveProperty('data.theirs');
  });
  test('removing all annotations from Git keeps those that Git never had', () => {
    const annotated = { ...plain({}), metadata: { name: 'settings', annotations: { note: 'x' } } };
    const before = bodyToCreate(desiredOf(annotated));
    const patch = bodyToPatch(desiredOf(plain({})), before);
    expect(patch).toMatchObject({ metadata: { annotations: { note: null } } });
  });
});
