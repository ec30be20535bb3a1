import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aReview,
  askHttps,
  certificateFiles,
  localCertificate,
  startAdmission,
  type HttpsAnswer,
  type RunningAdmission,
} from '../../../test/kit/admission.ts';
import { capturedLog, silentLog } from '../../../test/kit/captured-log.ts';
import { aDeployment } from '../../../test/kit/deployments.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { createVirtualClock } from '../../../test/kit/virtual-clock.ts';
import { systemClock } from '../../lib/clock.ts';
import { createMetrics } from '../../lib/metrics.ts';
import { doors } from './doors.ts';
import { createAdmissionServer } from './server.ts';

const validatePath = '/validate-managed-gitops-redhat-com-v1alpha1-gitopsdeployment';
const typeText = 'spec type must be manual or automated';
const wrong = aDeployment({ namespace: 'team-a', type: 'auto' });
const right = aDeployment({ namespace: 'team-a' });

const { log, lines } = capturedLog();
let running: RunningAdmission;
beforeAll(async () => {
  running = await startAdmission({ clock: systemClock, log });
});
afterAll(() => running[Symbol.asyncDispose]());

const ask = (path: string, options: Parameters<typeof askHttps>[1] = {}): Promise<HttpsAnswer> =>
  askHttps({ port: running.server.port, ca: running.ca, path }, options);
const review = async (path: string, request: object): Promise<unknown> => {
  const { code, text } = await ask(`${path}?timeout=10s`, { body: aReview(request) });
  expect(code, text).toBe(200);
  return JSON.parse(text);
};
const answered = (response: object): object => ({
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: 'u-1', ...response },
});
const allowed = answered({ allowed: true });

describe('admission', () => {
  it('has the eight paths that configurations of webhooks name', () => {
    const kinds = [
      'gitopsdeployment',
      'gitopsdeploymentmanagedenvironment',
      'gitopsdeploymentrepositorycredential',
      'gitopsdeploymentsyncrun',
    ];
    expect(doors.map(({ path }) => path)).toEqual(
      kinds.flatMap((kind) =>
        ['mutate', 'validate'].map((verb) => `/${verb}-managed-gitops-redhat-com-v1alpha1-${kind}`),
      ),
    );
  });

  it.each(['CREATE', 'UPDATE'])(
    'denies a wrong object on %s, in the words that the API server passes on',
    async (operation) => {
      const status = { code: 403, reason: 'Forbidden', message: typeText };
      expect(await review(validatePath, { operation, object: wrong, oldObject: right })).toEqual(
        answered({ allowed: false, status }),
      );
    },
  );

  it('lets a right object in', async () => {
    expect(await review(validatePath, { operation: 'CREATE', object: right })).toEqual(allowed);
  });

  it('never keeps a finalizer on an object from before the rules', async () => {
    const held = { ...wrong, metadata: { ...wrong.metadata, finalizers: ['a/b'] } };
    expect(await review(validatePath, { operation: 'UPDATE', object: wrong, oldObject: held })).toEqual(allowed);
    const deleting = { ...wrong, metadata: { ...wrong.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(await review(validatePath, { operation: 'UPDATE', object: deleting, oldObject: right })).toEqual(allowed);
  });

  it('has nothing to say about a deletion', async () => {
    expect(await review(validatePath, { operation: 'DELETE', object: null, oldObject: wrong })).toEqual(allowed);
  });

  it.each(doors.filter(({ path }) => path.startsWith('/mutate-')))('changes nothing at $path', async ({ path }) => {
    expect(await review(path, { operation: 'CREATE', object: wrong })).toEqual(allowed);
  });

  it('takes an object that is as large as the API server has them, as it was and as it is to be', async () => {
    const metadata = { ...right.metadata, annotations: { long: 'x'.repeat(3 * 1024 * 1024) } };
    const object = { ...right, metadata };
    expect(await review(validatePath, { operation: 'UPDATE', object, oldObject: object })).toEqual(allowed);
  });
});

describe('what is no review', () => {
  it.each([
    ['', 'the body is no JSON'],
    ['{"s3cret', 'the body is no JSON'],
    ['[]', 'the body is no AdmissionReview of admission.k8s.io/v1'],
    ['{"apiVersion":"v1","kind":"s3cret"}', 'the body is no AdmissionReview of admission.k8s.io/v1'],
    ['{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}', 'the review has no request with a uid'],
    [aReview({ operation: 'CREATE' }), 'the request has no object'],
    [aReview({ operation: 'CREATE', object: { spec: 's3cret' } }), 'the request has no object'],
    [
      aReview({ operation: 'CREATE', object: { ...right, spec: { ...right.spec, type: { s3cret: 1 } } } }),
      'the object does not fit its schema at .spec.type',
    ],
  ])('is answered with 400 and a sentence: %s', async (body, text) => {
    expect(await ask(validatePath, { body })).toEqual({ code: 400, text: `${text}\n` });
  });

  it.each([
    ['a path that is none', '/validate', { code: 404 }],
    ['another method', validatePath, { code: 405, method: 'GET' }],
    ['another media type', validatePath, { code: 415, headers: { 'content-type': 'text/plain' } }],
    [
      'a body without end',
      validatePath,
      { code: 413, headers: { 'content-type': 'application/json', 'content-length': 8e6 } },
    ],
  ])('is refused: %s', async (_what, path, { code, ...options }) => {
    expect(await ask(path, options)).toMatchObject({ code, text: expect.stringMatching(/^[^\n]+\n$/) });
  });

  it('is nowhere in the log, and what was denied neither', async () => {
    await review(validatePath, { operation: 'CREATE', object: wrong });
    expect(JSON.stringify(lines)).not.toMatch(/s3cret|auto/);
  });
});

it('counts reviews by kind and result, and how long they took', async () => {
  const text = await running.metrics.text();
  for (const result of ['allowed', 'denied', 'malformed']) {
    expect(text).toMatch(
      new RegExp(`managed_gitops_admission_reviews_total{kind="GitOpsDeployment",result="${result}"} [1-9]`),
    );
  }
  expect(text).toMatch(/managed_gitops_admission_review_seconds_count{kind="GitOpsDeployment"} [1-9]/);
});

it('refuses TLS older than 1.2', async () => {
  const { port } = running.server;
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  const ending = new Promise((_resolve, reject) => {
    connect({ port, host: '127.0.0.1', ca: running.ca, ...old }, () => reject(new Error('it was taken'))).once(
      'error',
      reject,
    );
  });
  await expect(ending).rejects.toThrow(/protocol version/);
});

describe('the certificate', () => {
  const anyPort = { host: '127.0.0.1', port: 0, off: false };

  const start = async (files: { readonly folder: string }) => {
    const clock = createVirtualClock();
    const captured = capturedLog();
    const made = createAdmissionServer({
      address: anyPort,
      certificateFolder: files.folder,
      clock,
      log: captured.log,
      metrics: createMetrics(),
    });
    await made.start();
    const said = (part: string): number => captured.lines.filter(({ msg }) => String(msg).includes(part)).length;
    const isServedWith = async (ca: string): Promise<boolean> => {
      await clock.advance(2_000);
      const answer = await askHttps({ port: made.port, ca, path: validatePath }, { method: 'GET' });
      return answer.code === 405;
    };
    return { made, clock, said, isServedWith };
  };

  it('is taken by new connections once it has changed, without a restart', async () => {
    await using files = await certificateFiles();
    const [first, second] = [localCertificate(), localCertificate()];
    await files.write(first.certificate, first.key);
    const { made, said, isServedWith } = await start(files);
    const { port } = made;
    await eventually('the first is served', () => isServedWith(first.ca));
    await files.write(second.certificate, second.key);
    await eventually('the second is served', () => isServedWith(second.ca));
    await expect(isServedWith(first.ca)).rejects.toThrow(/certificate/);
    expect([made.port, said('a new certificate for admission was taken')]).toEqual([port, 1]);
    await made.stop();
  });

  it('is kept while a new one is broken, which is said once', async () => {
    await using files = await certificateFiles();
    const [first, other] = [localCertificate(), localCertificate()];
    await files.write(first.certificate, first.key);
    const { made, said, isServedWith } = await start(files);
    await files.write(first.certificate, other.key);
    await eventually('it is noticed', async () => (await isServedWith(first.ca)) && said('can not be used') === 1);
    for (let look = 0; look < 3; look += 1) expect(await isServedWith(first.ca)).toBe(true);
    expect(said('can not be used, the last one is kept')).toBe(1);
    await files.write('no certificate', other.key);
    await eventually(
      'the next is noticed',
      async () => (await isServedWith(first.ca)) && said('can not be used') === 2,
    );
    await made.stop();
  });

  it('is waited for without failing, which is said once', async () => {
    await using files = await certificateFiles();
    const { made, clock, said, isServedWith } = await start(files);
    await clock.advance(20_000);
    expect([made.port, said('admission is not served until there are')]).toEqual([0, 1]);
    const { certificate, key, ca } = localCertificate();
    await files.write(certificate, key);
    await eventually('it is served', () => isServedWith(ca));
    await made.stop();
    expect(clock.pending).toBe(0);
  });

  it('is not looked for in a folder that is not there, until it is', async () => {
    const { made, said } = await start({ folder: '/nowhere/at/all' });
    expect(said('there are no tls.crt and tls.key for admission in /nowhere/at/all')).toBe(1);
    await made.stop();
  });
});

it('fails to start where the port is taken, and names it', async () => {
  const { port } = running.server;
  const address = { host: '127.0.0.1', port, off: false };
  const { folder } = running.files;
  const platform = { clock: systemClock, log: silentLog, metrics: createMetrics() };
  const second = createAdmissionServer({ ...platform, address, certificateFolder: folder });
  await expect(second.start()).rejects.toMatchObject({ kind: 'user', reason: 'PortInUse' });
  await second.stop();
});
