import { describe, expect, it, test } from 'vitest';
import {
  addressSetting,
  choiceSetting,
  durationSetting,
  integerSetting,
  parseSettings,
  redactedSettings,
  switchSetting,
  textSetting,
} from './config.ts';

const named = (flag: string) => ({ flag, help: '', environment: [`NEW_${flag.toUpperCase()}`, flag.toUpperCase()] });
const schema = {
  name: textSetting({ ...named('name'), fallback: 'nobody' }),
  password: textSetting({ ...named('password'), fallback: '', secret: true }),
  count: integerSetting({ ...named('count'), fallback: 3, min: 1, max: 10 }),
  pin: integerSetting({ ...named('pin'), fallback: 0, min: 0, max: 9 }),
  plain: switchSetting({ ...named('plain'), fallback: false }),
  level: choiceSetting({ ...named('level'), fallback: 'info', choices: ['debug', 'info'] }),
  pauseMs: durationSetting({ ...named('pause'), fallback: 1_000 }),
  address: addressSetting({ ...named('address'), fallback: { host: '127.0.0.1', port: 80, off: false } }),
};
type Given = Readonly<Record<string, string>>;
const parse = (flags: Given, environment: Given = {}) => parseSettings(schema, { flags, environment }).values;

describe('a setting', () => {
  it('is taken from its flag, else from its variables in their order, else it has its default', () => {
    const environment = { NEW_NAME: 'new', NAME: 'old' };
    expect(parse({ name: 'flag' }, environment).name).toBe('flag');
    expect(parse({}, environment).name).toBe('new');
    expect(parse({}, { NAME: 'old' }).name).toBe('old');
    expect(parse({}).name).toBe('nobody');
  });

  it('that is a text may be empty: an empty variable counts as set', () => {
    expect(parse({}, { NEW_NAME: '', NAME: 'old' }).name).toBe('');
    expect(parse({ name: '' }, { NAME: 'old' }).name).toBe('');
  });

  it('that is no text is not set by an empty variable, but an empty flag is an error', () => {
    expect(parse({}, { NEW_COUNT: '', COUNT: '7', PLAIN: ' ', PAUSE: '', LEVEL: '', ADDRESS: '' })).toMatchObject({
      count: 7,
      plain: false,
      pauseMs: 1_000,
      level: 'info',
      address: { port: 80 },
    });
    expect(() => parse({ count: '' })).toThrow('--count must be a whole number from 1 to 10, not ""');
  });

  it('can not be changed once parsed', () => {
    expect(Object.isFrozen(parse({}))).toBe(true);
  });
});

test.each([
  ['count', '7', 7],
  ['count', ' 10 ', 10],
  ['plain', 'TRUE', true],
  ['plain', 'false', false],
  ['level', 'debug', 'debug'],
  ['pause', '500ms', 500],
  ['pause', '1.5s', 1_500],
  ['pause', '1h30m', 5_400_000],
  ['address', ':8080', { host: '127.0.0.1', port: 8080, off: false }],
  ['address', '0.0.0.0:0', { host: '0.0.0.0', port: 0, off: false }],
  ['address', '[::1]:8080', { host: '::1', port: 8080, off: false }],
  ['address', '0', { host: '', port: 0, off: true }],
])('--%s=%s is understood', (flag, text, value) => {
  expect(Object.values(parse({ [flag]: text }))).toContainEqual(value);
});

test.each([
  ['count', '0', 'must be a whole number from 1 to 10'],
  ['count', '1e1', 'must be a whole number from 1 to 10'],
  ['count', '0x5', 'must be a whole number from 1 to 10'],
  ['plain', 'yes', 'must be true or false'],
  ['level', 'loud', 'must be one of debug, info'],
  ['pause', '5', 'must be a duration such as 500ms, 15s or 1h30m, of a year at most'],
  ['pause', '0s', 'must be a duration'],
  ['pause', '-1s', 'must be a duration'],
  ['pause', '1s 2s', 'must be a duration'],
  ['pause', '99999h', 'must be a duration'],
  ['address', '8080', 'must be [host]:port, or 0 for none'],
  ['address', 'host:65536', 'must be [host]:port, or 0 for none'],
  ['address', '::1:8080', 'must be [host]:port, or 0 for none'],
])('--%s=%s is refused by one line that names it and says what is allowed', (flag, text, allowed) => {
  const refusal = (() => {
    try {
      return parse({}, { [flag.toUpperCase()]: text });
    } catch (error) {
      return error;
    }
  })();
  expect(refusal).toMatchObject({ kind: 'user', reason: 'InvalidSetting' });
  const { message } = refusal as Error; // matched above
  expect(message.startsWith(`${flag.toUpperCase()} ${allowed}`)).toBe(true);
  expect(message).toContain(JSON.stringify(text));
  expect(message).not.toContain('\n');
});

test.each(['0.0.0.0:8080', '[::1]:8080', '0'])('the address %s is printed as it was given', (address) => {
  const settings = parseSettings(schema, { flags: { address }, environment: {} });
  expect(redactedSettings(schema, settings)).toMatchObject({ address });
});

describe('a secret setting', () => {
  it('is not printed, only that it is set', () => {
    const settings = parseSettings(schema, { flags: { password: 'hunter2', name: 'me' }, environment: {} });
    expect(redactedSettings(schema, settings)).toMatchObject({ password: '***', name: 'me', count: 3 });
    const unset = parseSettings(schema, { flags: {}, environment: {} });
    expect(redactedSettings(schema, unset)).toMatchObject({ password: '' });
  });

  it('is not quoted when it is refused', () => {
    const pin = { ...schema.pin, secret: true };
    const given = { flags: { pin: '12345' }, environment: {} };
    expect(() => parseSettings({ pin }, given)).toThrow(/^--pin must be a whole number from 0 to 9$/);
  });
});
