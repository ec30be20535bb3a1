import { describe, expect, test } from 'vitest';
import { isManifestPath, readManifests } from './directory.ts';

const configMap = (name: string): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const names = (...files: { path: string; text: string }[]): string[] =>
  readManifests(files).map(({ kind, metadata }) => `${kind}/${metadata.name}`);

describe('which files count', () => {
  test.each([
    ['app.yaml', {}, true],
    ['app.yml', {}, true],
    ['app.json', {}, true],
    ['README.md', {}, false],
    ['below/app.yaml', {}, false],
    ['below/app.yaml', { recurse: true }, true],
    ['app.yaml', { exclude: '*.yaml' }, false],
    ['app.yaml', { include: '*.yml' }, false],
    ['below/app.yaml', { recurse: true, include: 'below/*' }, true],
    ['app.yaml', { include: '{app,web}.yaml', exclude: 'app*' }, false],
  ])('%s with %j: %s', (path, options, expected) => {
    expect(isManifestPath(path, options)).toBe(expected);
  });
});

describe('what is in them', () => {
  test('several documents, empty ones left out, files in the order of their names', () => {
    const b = { path: 'b.yaml', text: `---\n${configMap('b1')}---\n---\n# nothing\n---\n${configMap('b2')}` };
    expect(names(b, { path: 'a.yaml', text: configMap('a') })).toEqual(['ConfigMap/a', 'ConfigMap/b1', 'ConfigMap/b2']);
  });
  test('a List stands for its items, a null list for nothing', () => {
    const items = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' } }],
    });
    const none = 'apiVersion: v1\nkind: ConfigMapList\nitems: null\n';
    expect(names({ path: 'a.json', text: items }, { path: 'b.yaml', text: none })).toEqual(['Secret/s']);
  });
  test('YAML that is no manifest is left out, broken or not', () => {
    expect(names({ path: 'values.yaml', text: 'replicas: 2\n' }, { path: 'broken.yaml', text: 'a: [1\n' })).toEqual([]);
  });
  test('a file marked for another tool is left out', () => {
    expect(names({ path: 'a.yaml', text: `# +argocd:skip-file-rendering\n${configMap('a')}` })).toEqual([]);
  });
  test.each([
    ['broken.yaml', `${configMap('a')}data: {a: [}\n`, 'Failed to unmarshal "broken.yaml"'],
    ['two.json', '{"a":1}{"b":2}', 'Failed to unmarshal "two.json"'],
    ['half.yaml', `${configMap('a')}---\nmetadata: {name: b}\n`, "Object 'Kind' is missing"],
    ['nameless.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n', 'has no metadata.name'],
    ['label.yaml', `${configMap('a')}  labels: {version: 1}\n`, 'a label or annotation that is not text'],
    ['app.jsonnet', '{}', 'does not evaluate Jsonnet'],
  ])('%s is an error that names it', (path, text, message) => {
    expect(() => readManifests([{ path, text }])).toThrow(message);
  });
});
