import { describe, expect, it } from 'vitest';
import { createTestApi } from '../api-fixture.ts';

const field = (number: number, content: Buffer | string | number): Buffer => {
  if (typeof content === 'number') return Buffer.from([number << 3, content]);
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};
const message = (...fields: Buffer[]): Buffer => Buffer.concat(fields);

const enveloped = (apiVersion: string, kind: string, raw: Buffer): Buffer =>
  message(Buffer.from('k8s\0'), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw));

const send = (path: string, body: Buffer) =>
  createTestApi().ask('POST', path, { body, contentType: 'application/vnd.kubernetes.protobuf' });

describe('a protobuf body', () => {
  it('is read as the object it stands for', () => {
    const entry = (key: string, value: string): Buffer => message(field(1, key), field(2, value));
    const metadata = message(field(1, 'keys'), field(2, ''), field(11, entry('a', 'b')), field(11, entry('c', 'd')));
    const secret = message(
      field(1, metadata),
      field(2, entry('user', 'me')),
      field(3, 'example.test/key'),
      field(5, 1),
    );
    expect(send('/api/v1/namespaces/team/secrets', enveloped('v1', 'Secret', secret))).toMatchObject({
      code: 201,
      body: {
        metadata: { name: 'keys', labels: { a: 'b', c: 'd' } },
        data: { user: 'bWU=' },
        type: 'example.test/key',
        immutable: true,
      },
    });
  });

  it('is refused, with a way out, for a kind that is not known in this form', () => {
    expect(
      send('/api/v1/namespaces/team/resourcequotas', enveloped('v1', 'ResourceQuota', Buffer.alloc(0))),
    ).toMatchObject({
      code: 415,
      body: { message: expect.stringContaining('send JSON, as kubectl create -f and kubectl apply do') },
    });
  });

  it('is refused when it is cut off or something else', () => {
    const secret = enveloped('v1', 'Secret', field(1, field(1, 'keys')));
    for (const body of [secret.subarray(0, -2), Buffer.from('{}')]) {
      expect(send('/api/v1/namespaces/team/secrets', body).code).toBe(400);
    }
  });
});
