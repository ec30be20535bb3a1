import { describe, expect, it } from 'vitest';
import { originalSpecField } from '../../test/kit/original-texts.ts';
import { readSpecField, sameApplication, writeSpecField, type DesiredApplication } from './spec-field.ts';

const automated: DesiredApplication = {
  name: 'gitopsdepl-uid',
  namespace: 'argocd',
  project: 'app-project-user',
  source: { repoURL: 'https://github.com/org/repo', path: 'app', targetRevision: 'main' },
  destination: { server: '', namespace: 'team', name: 'in-cluster' },
  syncPolicy: {
    automated: { prune: true, selfHeal: true, allowEmpty: true },
    syncOptions: ['PrunePropagationPolicy=background', 'CreateNamespace=true'],
    retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
  },
};
const manual: DesiredApplication = { ...automated, syncPolicy: undefined };
const withPath = (path: string): DesiredApplication => ({ ...automated, source: { ...automated.source, path } });

const original = originalSpecField({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: automated.name, namespace: automated.namespace },
  spec: { ...automated, syncPolicy: automated.syncPolicy ?? {} },
});

describe('the text of a row', () => {
  it.each([
    ['automated', automated],
    ['manual', manual],
    [
      'manual with options',
      { ...manual, syncPolicy: { automated: undefined, syncOptions: ['a=b'], retry: undefined } },
    ],
  ])('brings an Application back as it was: %s', (_what, application) => {
    expect(readSpecField(writeSpecField(application))).toEqual(application);
  });

  it.each([
    '012',
    'yes',
    'null',
    '~',
    '1e3',
    '0x10',
    'a: b',
    '# no',
    "it's",
    'say "so"',
    ' blank ',
    'ü\n\t&;%`',
    '-',
    '',
  ])('brings a text back letter for letter: %j', (path) => {
    expect(readSpecField(writeSpecField(withPath(path))).source.path).toBe(path);
  });

  it('says the same to readers of two versions of YAML', () => {
    expect(writeSpecField(withPath('yes'))).toContain('    path: "yes"\n');
  });

  it('leaves nothing out, as the other half expects: absent parts are null or empty', () => {
    const text = writeSpecField(manual);
    expect(text).toContain('  syncpolicy: null\n');
    expect(text).toMatch(/^status:\n {2}resources: \[\]/m);
    expect(text).toContain('  operationstate: null\n');
  });

  it('is that of the original, letter for letter', () => {
    expect(writeSpecField(automated)).toBe(original);
    expect(readSpecField(original)).toEqual(automated);
  });

  it.each([
    ['a number', '    path: 012\n', '012'],
    ['a word of YAML 1.1', '    path: yes\n', 'yes'],
    ['a folded text', '    path: one\n      two\n', 'one two'],
    ['a single-quoted text', "    path: 'it''s'\n", "it's"],
    ['a literal block', '    path: |-\n      one\n      two\n', 'one\ntwo'],
  ])('is read with %s unquoted', (_what, line, meant) => {
    expect(readSpecField(original.replace('    path: app\n', line)).source.path).toBe(meant);
  });

  it.each(['', 'hello', '[]', '{}', 'spec: {}', 'fauxobjectmeta: {name: a}'])('%j describes no Application', (text) => {
    expect(() => readSpecField(text)).toThrow('it describes no Application');
  });
});

describe('two Applications', () => {
  it('are the same whoever wrote them', () => {
    expect(sameApplication(readSpecField(original), automated)).toBe(true);
  });

  it('are the same where one has an empty policy and the other none', () => {
    const empty = { automated: undefined, syncOptions: [], retry: undefined };
    expect(sameApplication(manual, { ...manual, syncPolicy: empty })).toBe(true);
  });

  it.each([
    ['path', withPath('other')],
    ['project', { ...automated, project: 'default' }],
    ['destination', { ...automated, destination: { ...automated.destination, name: '' } }],
    ['policy', manual],
    [
      'order of options',
      {
        ...automated,
        syncPolicy: {
          ...automated.syncPolicy,
          syncOptions: ['CreateNamespace=true', 'PrunePropagationPolicy=background'],
        },
      },
    ],
  ])('differ by their %s', (_what, other) => {
    expect(sameApplication(automated, { ...automated, ...other } as DesiredApplication)).toBe(false); // a part of one
  });
});
