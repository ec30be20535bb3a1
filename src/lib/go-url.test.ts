// That URLs are read and refused as Go does it. The golden file is made by Go: see scripts/golden/go-url.go.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GoUrlError, parseRequestUri, parseUrl, type GoUrl } from './go-url.ts';

interface Reading {
  readonly error?: string;
  readonly text: string;
}
interface Golden {
  readonly input: string;
  readonly parsed: Reading;
  readonly requested: Reading;
}

const path = `${import.meta.dirname}/go-url.golden.json`;
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden[]; // the program that made the file has these fields

const read = (parse: (text: string) => GoUrl, input: string): unknown => {
  try {
    const { scheme, opaque, user, host, path: decoded, rawQuery, fragment, text } = parse(input);
    const parts = { scheme, opaque, user: user?.name, password: user?.password, host, path: decoded, fragment };
    return { ...filled({ ...parts, query: rawQuery }), text };
  } catch (error) {
    if (!(error instanceof GoUrlError)) throw error;
    return { error: withoutAddressDetail(error.message), text: '' };
  }
};

/** Go's program leaves empty parts out. */
const filled = (parts: Record<string, string | undefined>): object =>
  Object.fromEntries(Object.entries(parts).filter(([, value]) => value));

/** What exactly is wrong inside the brackets of an address is not part of the promise. */
const withoutAddressDetail = (message: string): string =>
  message.replace(/invalid host: ParseAddr\(.*$/, 'invalid host');

const expected = (reading: Reading): Reading =>
  reading.error === undefined ? reading : { ...reading, error: withoutAddressDetail(reading.error) };

test('there are cases enough to mean something', () => {
  expect(golden.length).toBeGreaterThan(200);
});

test.each(golden)('$input reads as Go reads it', ({ input, parsed }) => {
  expect(read(parseUrl, input)).toEqual(expected(parsed));
});

test.each(golden)('$input reads as Go reads a request URI', ({ input, requested }) => {
  expect(read(parseRequestUri, input)).toEqual(expected(requested));
});

test('a lone surrogate is a text like any other', () => {
  expect(parseUrl('https://host/\ud800').path).toBe('/\ufffd');
});
