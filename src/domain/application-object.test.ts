import { describe, expect, it } from 'vitest';
import { compareApplication, newApplication } from './application-object.ts';
import type { DesiredApplication } from './spec-field.ts';

const desired: DesiredApplication = {
  name: 'gitopsdepl-uid',
  namespace: 'argocd',
  project: 'default',
  source: { repoURL: 'https://a', path: 'app', targetRevision: '' },
  destination: { server: '', namespace: 'team', name: 'in-cluster' },
  syncPolicy: { automated: undefined, syncOptions: ['CreateNamespace=true'], retry: undefined },
};

describe('the Application of a row', () => {
  it('has the name and label of its row, and leaves empty fields out', () => {
    expect(newApplication('id', desired)).toEqual({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'gitopsdepl-uid', namespace: 'argocd', labels: { databaseID: 'id' } },
      spec: {
        project: 'default',
        source: { repoURL: 'https://a', path: 'app' },
        destination: { namespace: 'team', name: 'in-cluster' },
        syncPolicy: { syncOptions: ['CreateNamespace=true'] },
      },
    });
  });

  it('is right as it was made', () => {
    expect(compareApplication(newApplication('id', desired), 'id', desired)).toEqual({
      target: false,
      spec: false,
      label: false,
    });
  });

  it('is right with an empty policy where none is wanted', () => {
    const none = { ...desired, syncPolicy: undefined };
    const present = newApplication('id', none);
    present.spec.syncPolicy = { syncOptions: [] };
    expect(compareApplication(present, 'id', none).spec).toBe(false);
  });

  it.each([
    ['another path', { source: { ...desired.source, path: 'other' } }, { target: true, spec: true }],
    [
      'another destination',
      { destination: { ...desired.destination, namespace: 'other' } },
      { target: true, spec: true },
    ],
    ['another policy', { syncPolicy: undefined }, { target: false, spec: true }],
    ['another project', { project: 'other' }, { target: false, spec: true }],
  ])('differs by %s; only where it comes from and goes to ends a running sync', (_what, change, difference) => {
    const present = newApplication('id', { ...desired, ...change });
    expect(compareApplication(present, 'id', desired)).toMatchObject(difference);
  });

  it('differs by a lost label', () => {
    const present = newApplication('id', desired);
    present.metadata.labels = {};
    expect(compareApplication(present, 'id', desired)).toEqual({ target: false, spec: false, label: true });
  });

  it('without any source differs, and is read all the same', () => {
    const { source: _source, ...spec } = newApplication('id', desired).spec;
    expect(compareApplication({ ...newApplication('id', desired), spec }, 'id', desired).target).toBe(true);
  });
});
