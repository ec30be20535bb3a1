// The backend's webhooks in the harness: their certificate, and their configurations with URLs on loopback.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemRandom } from '../../src/lib/random.ts';
import { parseYaml } from '../../src/lib/yaml.ts';
import { createServerCertificate } from '../../src/sandbox/apiserver/http/certificate.ts';
import { freePort, type Programs } from '../kit/programs.ts';

/** How they are reached. */
export interface Webhooks {
  /** `https://<host>:<port>`. */
  readonly url: string;
  /** The authority of their certificate, as PEM. */
  readonly ca: string;
}

const HOST = '127.0.0.1';

/** Makes a certificate in a folder of the programs; gives also the backend's flags for it. */
export const prepareWebhooks = async (
  programs: Programs,
): Promise<{ readonly webhooks: Webhooks; readonly flags: readonly string[] }> => {
  const folder = join(programs.folder, 'webhooks');
  await mkdir(folder);
  const { ca, certificate, key } = createServerCertificate({ hosts: [HOST], random: systemRandom });
  await writeFile(join(folder, 'tls.crt'), certificate);
  await writeFile(join(folder, 'tls.key'), key, { mode: 0o600 });
  const port = await freePort();
  return {
    webhooks: { url: `https://${HOST}:${port}`, ca },
    flags: ['--webhooks=on', `--webhook-bind-address=${HOST}:${port}`, `--webhook-cert-dir=${folder}`],
  };
};

/** What of a configuration is changed here. */
interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly service: { readonly path: string } } }[];
}

const folder = fileURLToPath(new URL('../../deploy/webhooks/common', import.meta.url));

/** Both configurations of the manifests as one manifest, with URLs in place of a Service: nothing here has its address. */
export const webhookConfigurations = async ({ url, ca }: Webhooks): Promise<string> => {
  const caBundle = Buffer.from(ca).toString('base64');
  const items = ['validating.yaml', 'mutating.yaml'].map(async (file) => {
    const configuration = parseYaml(await readFile(join(folder, file), 'utf8')) as Configuration; // our own manifest
    const webhooks = configuration.webhooks.map(({ clientConfig: { service }, ...webhook }) => ({
      ...webhook,
      clientConfig: { url: `${url}${service.path}`, caBundle },
    }));
    return { ...configuration, webhooks };
  });
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: await Promise.all(items) });
};
