import { expect, test } from 'vitest';
import { isSupportedGitUrl, normalizeGitUrl, redactGitUrl } from './git-url.ts';

test('one repository is one, however its URL is written', () => {
  const forms = ['git@github.com:Team/App.git', 'ssh://git@github.com/team/app', ' git@github.com:team/app '];
  expect(new Set(forms.map(normalizeGitUrl)).size).toBe(1);
  expect(normalizeGitUrl('https://GitHub.com/team/app.git')).toBe(normalizeGitUrl('https://github.com/team/app'));
});

test('a URL is compared with its characters encoded, as Argo CD compares it', () => {
  expect(normalizeGitUrl('https://exämple.com/ö')).toBe('https://ex%C3%A4mple.com/%C3%B6');
});

test.each(['https://h/r', 'http://h/r', 'ssh://h/r', 'file:///srv/r', '/srv/r', 'git@h:team/r.git'])(
  'talks to %s',
  (url) => expect(isSupportedGitUrl(url)).toBe(true),
);

test.each(['ext::sh -c id', '--upload-pack=id', 'git://h/r', 'r', '', 'fd::3', './r'])('refuses %s', (url) =>
  expect(isSupportedGitUrl(url)).toBe(false),
);

test('a password in a URL never reaches a message', () => {
  expect(redactGitUrl("repository 'https://bob:hunter2@h/r' not found")).toBe("repository 'https://***@h/r' not found");
});
