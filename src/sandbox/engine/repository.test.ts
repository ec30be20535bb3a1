import { describe, expect, test } from 'vitest';
import type { Secret } from '../../kube/object.ts';
import { anonymous, chooseRepository } from './repository.ts';

const url = 'https://example.com/team/app';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = (name: string, data: Readonly<Record<string, string>>): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, uid: `uid-${name}` },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const shared = secret('shared', { url: `${url}.git`, username: 'all', password: 'p' });
const mine = secret('mine', { url: 'https://EXAMPLE.com/team/app', username: 'me', password: 'p', project: 'team' });
const theirs = secret('theirs', { url, username: 'they', password: 'p', project: 'others' });
const elsewhere = secret('elsewhere', { url: 'https://example.com/team/other', project: 'team' });

describe('a repository is read', () => {
  test.each([
    ["with its project's own Secret first", [shared, theirs, mine], 'me'],
    ["with one that is every project's where the project has none", [theirs, shared], 'all'],
    ["by anybody where the only Secret is another project's", [theirs], ''],
    ['by anybody where the Secret is about another repository', [elsewhere], ''],
  ])('%s', (_how, secrets, username) => {
    expect(chooseRepository(secrets, { url, project: 'team' }).username).toBe(username);
  });

  test('as the Application writes its URL, and apart for each reader', () => {
    const found = chooseRepository([mine], { url, project: 'team' });
    expect(found).toMatchObject({ url, reader: 'uid-mine' });
    expect(chooseRepository([mine], { url, project: 'others' })).toEqual(anonymous(url));
  });
});
