import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../test/kit/virtual-clock.ts';
import { createLogger, type LogLevel } from './log.ts';

const parsed = (text: string) => JSON.parse(text) as Record<string, unknown>; // lines are objects
const setUp = (level: LogLevel = 'debug') => {
  const texts: string[] = [];
  const log = createLogger({ level, clock: createVirtualClock(), sink: { write: (text) => void texts.push(text) } });
  return { log, texts, lines: () => texts.map(parsed) };
};

describe('a log line', () => {
  it('is one JSON object with level, time, message and fields', () => {
    const { log, texts } = setUp();
    log.info('two\nlines', { key: 'a/k/1', count: 2 });
    expect(texts).toEqual([
      '{"level":"info","ts":"2026-01-01T00:00:00.000Z","key":"a/k/1","count":2,"msg":"two\\nlines"}\n',
    ]);
  });

  it('is written from its level on', () => {
    const { log, lines } = setUp('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level](level);
    expect(lines().map((line) => line['msg'])).toEqual(['warn', 'error']);
  });

  it('has the fields of its logger, each once: what is said closer to the line wins', () => {
    const { log, texts, lines } = setUp();
    log.with({ component: 'backend', name: 'x' }).with({ component: 'lease' }).info('hello', { name: 'y' });
    expect(lines()).toMatchObject([{ component: 'lease', name: 'y' }]);
    expect(texts[0]?.match(/"component"/g)).toHaveLength(1);
  });

  it('tells an error with its stack and causes, and nothing else that hangs on it', () => {
    const { log, texts, lines } = setUp();
    const cause = Object.assign(new TypeError('underneath'), { detail: 'Key (token)=(s3cret)' });
    const error = Object.assign(new Error('it failed', { cause }), { request: { authorization: 's3cret' } });
    log.error('no', { err: error });
    expect(lines()[0]?.['err']).toMatchObject({
      name: 'Error',
      message: 'it failed',
      stack: expect.stringContaining('log.test.ts'),
      cause: { name: 'TypeError', message: 'underneath' },
    });
    expect(texts.join()).not.toContain('s3cret');
  });

  it('tells each of several errors, a chain of causes that never ends, and what is no error', () => {
    const { log, lines } = setUp();
    const endless = new Error('again');
    endless.cause = endless;
    for (const err of [new AggregateError([new Error('one'), 'two']), endless, 'a text', { secret: 's3cret' }]) {
      log.warn('no', { err });
    }
    const [many, chain, text, thing] = lines().map((line) => line['err']);
    expect(many).toMatchObject({ name: 'AggregateError', errors: ['one', 'two'] });
    expect(JSON.stringify(chain).match(/"message":"again"/g)).toHaveLength(6);
    expect([text, thing]).toEqual(['a text', '[object Object]']);
  });
});
