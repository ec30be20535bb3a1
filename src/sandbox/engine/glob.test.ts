import { expect, test } from 'vitest';
import { matchesGlob } from './glob.ts';

test.each([
  ['*', 'anything/at-all', '', true],
  ['*', 'a/b', '/', false],
  ['**', 'a/b', '/', true],
  ['https://example.com/*', 'https://example.com/team', '/', true],
  ['https://example.com/*', 'https://example.com/team/app', '/', false],
  ['*.yaml', 'deploy/app.yaml', '', true],
  ['{config,env}-*.yml', 'env-prod.yml', '', true],
  ['{config,env}-*.yml', 'other-prod.yml', '', false],
  ['team-?', 'team-a', '', true],
  ['team-[ab]', 'team-c', '', false],
  ['team-[!ab]', 'team-c', '', true],
  ['a.b', 'axb', '', false],
  ['\\*', '*', '', true],
  ['\\*', 'x', '', false],
])('%s against %s with separator "%s" is %s', (...row) => {
  const [pattern, text, separator, expected] = row;
  expect(matchesGlob(pattern, text, separator)).toBe(expected);
});
