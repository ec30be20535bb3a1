// That a repository's key is the one that existing databases hold. The golden file is made by Go, with all its URLs.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeGitUrl, shownUrl } from './repository-url.ts';

const path = `${import.meta.dirname}/../lib/go-url.golden.json`;
const golden = JSON.parse(readFileSync(path, 'utf8')) as { input: string; normalized: string }[]; // made with these fields

test.each(golden)('the key of $input is the one that Go makes', ({ input, normalized }) => {
  expect(normalizeGitUrl(input)).toBe(normalized);
});

test.each([
  ['https://github.com/redhat-appstudio/test.git', 'https://github.com/redhat-appstudio/test'],
  ['git@github.com:redhat-appstudio/managed-gitops.git', 'git@github.com/redhat-appstudio/managed-gitops'],
  ['https://@github.com:test:git', ''],
])('%s has the key "%s"', (url, key) => {
  expect(normalizeGitUrl(url)).toBe(key);
});

test('any text has a key, without an error', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof normalizeGitUrl(text) === 'string'));
});

test.each([
  ['https://bob:hunter2@host/a@b?c', 'https://host/a@b?c'],
  ['HTTPS://token@host', 'HTTPS://host'],
  ['ssh://git:hunter2@host:22/a', 'ssh://git@host:22/a'],
  ['ssh://git@host/a:b@c', 'ssh://git@host/a:b@c'],
  ['git@host:a', 'git@host:a'],
  ['https://host/a', 'https://host/a'],
])('%s is shown as %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
