import { expect, test } from 'vitest';
import { createVirtualClock } from '../../../test/kit/virtual-clock.ts';
import { createAgenda } from './agenda.ts';
import type { Application } from './shapes.ts';

const application = (path: string, annotations: Record<string, string> = {}): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'web', annotations },
  spec: { project: 'default', source: { repoURL: '/r', path }, destination: {} },
});
const begin = () => {
  const clock = createVirtualClock();
  return { clock, agenda: createAgenda({ clock, refreshMs: 1000 }) };
};

test('an Application is compared when it is new, when its spec changes, and each time the interval is over', async () => {
  const { clock, agenda } = begin();
  const latest = { level: 'latest', dated: false };
  expect(agenda.take(application('a'))).toEqual(latest);
  expect(agenda.take(application('a'))).toBe(undefined);
  expect(agenda.take(application('b'))).toEqual(latest);
  await clock.advance(999);
  expect([agenda.take(application('b')), agenda.nextInMs('web')]).toEqual([undefined, 1]);
  await clock.advance(1);
  expect(agenda.take(application('b'))).toEqual(latest);
});

test('a refresh that was asked for is known as such', () => {
  const { agenda } = begin();
  agenda.take(application('a'));
  const asked = application('a', { 'argocd.argoproj.io/refresh': 'hard' });
  expect(agenda.take(asked)).toEqual({ level: 'latest', dated: true });
});

test('of two reasons the wider counts, a look at what is known does not move the interval, and nothing is kept of the gone', async () => {
  const { clock, agenda } = begin();
  agenda.take(application('a'));
  agenda.mark('web', 'latest');
  agenda.mark('web', 'recent');
  expect(agenda.take(application('a'))?.level).toBe('latest');
  await clock.advance(400);
  agenda.mark('web', 'recent');
  expect(agenda.take(application('a'))?.level).toBe('recent');
  expect(agenda.nextInMs('web')).toBe(600);
  agenda.forget('web');
  expect(agenda.nextInMs('web')).toBe(0);
});

test('a comparison whose time is waited for stays so, whatever else asks for one', () => {
  const { agenda } = begin();
  agenda.take(application('a'));
  agenda.mark('web', 'recent', true);
  agenda.mark('web', 'latest');
  expect(agenda.take(application('b'))).toEqual({ level: 'latest', dated: true });
});
