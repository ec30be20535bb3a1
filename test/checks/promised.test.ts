// That the list of promised messages is compared as it should be, and has every sentence that the code can say for ever.
import { describe, expect, it } from 'vitest';
import * as messages from '../../src/api/messages.ts';
import { brokenPromises, readPromises, type Promises } from '../kit/promised.ts';

const promise = { id: 'one', place: 'there', of: 'Kind Type=True Reason', text: 'all is (well|good)' };
const list = (changes: Partial<Promises> = {}): Promises => ({ messages: [promise], exceptions: [], ...changes });

describe('a promise', () => {
  it('is kept by a line that fits as a whole', () => {
    expect(brokenPromises(list(), ['Kind Type=True Reason: all is good'])).toEqual([]);
  });

  it.each([
    ['Kind Type=True Reason: all is good, so far'],
    ['Kind Type=True Reasons: all is good'],
    ['Kind Type=False Reason: all is good'],
  ])('is not kept by "%s"', (line) => {
    expect(brokenPromises(list(), [line])).toEqual([
      'one (there) was never said: Kind Type=True Reason: all is (well|good)',
    ]);
  });

  it('that is never kept needs an exception, and an exception needs a promise that is never kept', () => {
    const excused = list({ exceptions: [{ id: 'one', why: 'for a reason' }] });
    expect(brokenPromises(excused, [])).toEqual([]);
    expect(brokenPromises(excused, ['Kind Type=True Reason: all is well'])).toEqual([
      'one needs no exception: it was said',
    ]);
    expect(
      brokenPromises(list({ exceptions: [{ id: 'two', why: '' }] }), ['Kind Type=True Reason: all is well']),
    ).toEqual(['two is an exception from nothing']);
  });

  it('is there once', () => {
    const twice = list({ messages: [promise, promise] });
    expect(brokenPromises(twice, ['Kind Type=True Reason: all is well'])).toContain('one is there twice');
  });
});

describe('the list', () => {
  const { messages: promised, exceptions } = readPromises();

  it('says for each exception why', () => {
    for (const { why } of exceptions) expect(why).toMatch(/^[A-Z].{30,}\.$/);
  });

  const { admissionMessages, deploymentMessages, syncRunMessages, environmentMessages, credentialMessages } = messages;
  const said = { admissionMessages, deploymentMessages, syncRunMessages, environmentMessages, credentialMessages };
  /** What the original does not say. */
  const ours = new Set([
    'syncRunMessages.changePending',
    'credentialMessages.unreadableUrl',
    'credentialMessages.redirected',
    'credentialMessages.unreachable',
  ]);
  const sentences = Object.entries(said).flatMap(([group, entries]) =>
    Object.entries<unknown>(entries).map(([name, sentence]) => [`${group}.${name}`, sentence] as const),
  );
  it.each(sentences.filter(([name]) => !ours.has(name)))('has %s', (_name, sentence) => {
    // The words before the first thing that is put in are enough to know it by.
    const words = typeof sentence === 'function' ? String(sentence('\0', '\0')).split(/\0|undefined/)[0] : sentence;
    const known = promised.some(({ text }) => text.replaceAll('\\', '').includes(String(words)));
    expect(known, String(words)).toBe(true);
  });
});
