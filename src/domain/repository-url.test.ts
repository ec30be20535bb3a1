// That a repository's key is the one that existing databases hold. The golden file is made by Go, with all its URLs.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeGitUrl } from './repository-url.ts';

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
