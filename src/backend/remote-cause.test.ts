import { describe, expect, test } from 'vitest';
import { ApiError } from '../kube/status-error.ts';
import { DeadlineExceeded } from '../lib/abort.ts';
import { Fault } from '../lib/fault.ts';
import { isUnknownAuthority } from '../lib/go-connect-cause.ts';
import { remoteCause } from './remote-cause.ts';

const nodeError = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`canary of ${code}`), { code, ...more });

/** As the client of an API server passes it on. */
const unavailable = (cause: unknown): Fault =>
  new Fault('internal', 'ApiUnavailable', 'canary: the API server could not be reached', { cause });

const peer = { address: '10.0.0.1', port: 6443 };

describe('the cause of a failed call', () => {
  test.each<[Error, string]>([
    [nodeError('ENOTFOUND', { hostname: 'x.example' }), 'dial tcp: lookup x.example: no such host'],
    [nodeError('EAI_AGAIN', { hostname: 'x.example' }), 'dial tcp: lookup x.example: server misbehaving'],
    [nodeError('ECONNREFUSED', peer), 'dial tcp 10.0.0.1:6443: connect: connection refused'],
    [nodeError('ECONNREFUSED', { address: '::1', port: 1 }), 'dial tcp [::1]:1: connect: connection refused'],
    [nodeError('EHOSTUNREACH', peer), 'dial tcp 10.0.0.1:6443: connect: no route to host'],
    [nodeError('ENETUNREACH', peer), 'dial tcp 10.0.0.1:6443: connect: network is unreachable'],
    [nodeError('ETIMEDOUT', peer), 'dial tcp 10.0.0.1:6443: i/o timeout'],
    [nodeError('ETIMEDOUT'), 'dial tcp: i/o timeout'],
    [nodeError('ECONNRESET'), 'read: connection reset by peer'],
    [nodeError('ECONNRESET', { message: 'socket hang up' }), 'EOF'],
    [
      nodeError('CERT_HAS_EXPIRED'),
      'tls: failed to verify certificate: x509: certificate has expired or is not yet valid',
    ],
    [
      nodeError('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'),
      'the connection failed (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)',
    ],
    [new AggregateError([nodeError('ECONNREFUSED', peer)]), 'dial tcp 10.0.0.1:6443: connect: connection refused'],
    [new Error('canary'), 'the connection failed'],
  ])('that Node.js calls %s is %s', (error, text) => {
    expect(remoteCause(unavailable(error))).toBe(text);
  });

  test('is the deadline, wherever it struck', () => {
    const late = new DeadlineExceeded('canary');
    expect([late, unavailable(late)].map(remoteCause)).toEqual(Array(2).fill('context deadline exceeded'));
  });

  test('is what an API server says, but nothing that another server says', () => {
    const refusal = new ApiError(403, { kind: 'Status', reason: 'Forbidden', message: 'x is forbidden' });
    expect(remoteCause(refusal)).toBe('x is forbidden');
    expect(remoteCause(new ApiError(502, { message: 'canary' }))).toBe('the server answered 502');
    expect(remoteCause(new ApiError(307, { message: 'canary' }))).toBe(
      'the server answered 307, and redirects are not followed',
    );
  });

  test.each([
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ])('is an unknown authority for %s, and a condition of its own', (code) => {
    const error = unavailable(nodeError(code));
    expect(isUnknownAuthority(error)).toBe(true);
    expect(remoteCause(error)).toMatch(/x509: certificate signed by unknown authority$/);
    expect(isUnknownAuthority(unavailable(nodeError('CERT_HAS_EXPIRED')))).toBe(false);
  });
});
