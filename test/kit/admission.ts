// A running admission server of tests, and reviews sent to it as an API server sends them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAdmissionServer, type AdmissionServer } from '../../src/http/admission/server.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Logger } from '../../src/lib/log.ts';
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createServerCertificate, type ServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';

/** A folder for `tls.crt` and `tls.key`. */
export interface CertificateFiles extends AsyncDisposable {
  readonly folder: string;
  write(cert: string, key: string): Promise<void>;
}

/** Makes an empty folder. */
export const certificateFiles = async (): Promise<CertificateFiles> => {
  const folder = await mkdtemp(join(tmpdir(), 'admission-'));
  return {
    folder,
    async write(cert, key) {
      await writeFile(join(folder, 'tls.crt'), cert);
      await writeFile(join(folder, 'tls.key'), key);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
};

/** A certificate for this machine, unless another host is named, signed by an authority of its own. */
export const localCertificate = (hosts: readonly string[] = ['127.0.0.1', 'localhost']): ServerCertificate =>
  createServerCertificate({ hosts, random: systemRandom });

/** An admission server with a certificate. */
export interface RunningAdmission extends AsyncDisposable {
  readonly server: AdmissionServer;
  readonly files: CertificateFiles;
  readonly metrics: Metrics;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
}

/** Starts one on any port of 127.0.0.1. */
export const startAdmission = async (
  platform: { readonly clock: Clock; readonly log: Logger },
  hosts?: readonly string[],
): Promise<RunningAdmission> => {
  const files = await certificateFiles();
  const { ca, certificate, key } = localCertificate(hosts);
  await files.write(certificate, key);
  const metrics = createMetrics();
  const address = { host: '127.0.0.1', port: 0, off: false };
  const server = createAdmissionServer({ ...platform, metrics, address, certificateFolder: files.folder });
  await server.start();
  return {
    server,
    files,
    metrics,
    ca,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await files[Symbol.asyncDispose]();
    },
  };
};

/** An answer over HTTPS. */
export interface HttpsAnswer {
  readonly code: number;
  readonly text: string;
}

/** Sends one request on a connection of its own. */
export const askHttps = (
  to: { readonly port: number; readonly ca: string; readonly path: string },
  { body = '', ...options }: RequestOptions & { readonly body?: string } = {},
): Promise<HttpsAnswer> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = httpsRequest(
      { host: '127.0.0.1', method: 'POST', agent: false, headers, ...to, ...options },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.once('error', reject);
        response.once('end', () => resolve({ code: response.statusCode ?? 0, text }));
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });

/** An AdmissionReview, as an API server asks it. */
export const aReview = (request: object): string =>
  JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { uid: 'u-1', ...request } });
