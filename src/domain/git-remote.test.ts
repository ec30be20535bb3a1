import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isFault } from '../lib/fault.ts';
import { readGitRemote } from './git-remote.ts';

const nobody = { username: '', password: '' };

describe('a URL goes to git', () => {
  test.each([
    ['https://Git.example/Team/App.git', 'https', 'Git.example'],
    ['http://127.0.0.1:8080/a?b=c', 'http', '127.0.0.1'],
    ['https://[2001:db8::1]:443/a%20b', 'https', '2001:db8::1'],
    ['ssh://git@GitHub.com:22/Team/App', 'ssh', 'GitHub.com'],
    ['ssh://bob@corp@host/~bob/app', 'ssh', 'host'],
    ['git@github.com:Team/App.git', 'ssh', 'github.com'],
    ['git@[::1]:Team/App.git', 'ssh', '::1'],
    ['org-1234@github.com:/srv/a b.git', 'ssh', 'github.com'],
  ])('as it was written: %s', (url, transport, host) => {
    expect(readGitRemote(url)).toEqual({ transport, host, url, ...nobody });
  });

  test('without user and password, which are kept apart', () => {
    expect(readGitRemote('https://bob:p%40ss@host/a?b')).toEqual({
      transport: 'https',
      host: 'host',
      url: 'https://host/a?b',
      username: 'bob',
      password: 'p@ss',
    });
    expect(readGitRemote('ssh://bob:secret@host/a').url).toBe('ssh://bob@host/a');
  });

  test('with the user that servers know, where it names none over ssh', () => {
    expect(readGitRemote('ssh://host:2222/a').url).toBe('ssh://git@host:2222/a');
  });

  test('with a name beyond ASCII in the form in which it is looked up, so that the host that is checked is the one that is asked', () => {
    expect(readGitRemote('https://exämple.com/Ä')).toMatchObject({
      host: 'xn--exmple-cua.com',
      url: 'https://xn--exmple-cua.com/Ä',
    });
    expect(readGitRemote('https://１２７.0.0.1/a').host).toBe('127.0.0.1');
  });
});

test.each([
  ['', 'the URL can not be read'],
  ['team/app', 'the URL can not be read'],
  ['--upload-pack=touch /tmp/x', 'the URL can not be read'],
  ['-oProxyCommand=touch@host:a', 'the URL can not be read'],
  ['git@-oProxyCommand:a', 'the URL can not be read'],
  ['git@host:-a', 'the URL can not be read'],
  ['git@host:a\nb', 'the URL can not be read'],
  ['ssh://-oProxyCommand=x/a', 'the URL can not be read'],
  ['ssh://-oA@host/a', 'the URL can not be read'],
  ['ssh://git@host:team/app', 'the URL can not be read'],
  ['https:///a', 'the URL can not be read'],
  ['https://host#x/a', 'the URL can not be read'],
  ['https://bob:hunter2 @host/a', 'the URL can not be read'],
  ['ext::sh -c touch% /tmp/x', 'repository must begin with ssh:// or https://'],
  ['fd::3', 'repository must begin with ssh:// or https://'],
  ['git://host/a', 'repository must begin with ssh:// or https://'],
  ['file:///etc', 'repository must begin with ssh:// or https://'],
  ['/etc', 'repository must begin with ssh:// or https://'],
])('%j is no URL of a repository, and the fault does not repeat it', (url, cause) => {
  const read = (): unknown => readGitRemote(url);
  expect(read).toThrow(expect.objectContaining({ kind: 'user', reason: 'InvalidRepositoryUrl' }));
  expect(read).toThrow(`Repository does not exist: ${cause}`);
  expect(read).not.toThrow('hunter2');
});

test('what goes to git never begins like an option and never names another way to talk', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.webUrl({ withQueryParameters: true }),
    fc
      .tuple(
        fc.constantFrom('ssh://', 'https://', 'git@', ''),
        fc.string(),
        fc.constantFrom(':', '/', '@h/'),
        fc.string(),
      )
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        const { url, host } = readGitRemote(text);
        expect(url).toMatch(/^(https?:\/\/|ssh:\/\/\w|\w[\w.+-]*@)/);
        expect(host).toMatch(/^\w[\w.-]*$|^[0-9a-f:.]+$/i);
      } catch (error) {
        if (!isFault(error, 'user')) throw error;
      }
    }),
  );
});
