// Admission in the demo: served with a certificate made for it, and asked by the API server about each write.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { doors } from '../../http/admission/doors.ts';
import { createAdmissionServer } from '../../http/admission/server.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { KubeObject, ResourceType } from '../../kube/object.ts';
import { createServerCertificate } from '../../sandbox/apiserver/http/certificate.ts';
import type { Platform } from '../platform.ts';

interface WebhookConfiguration extends KubeObject {
  readonly webhooks: readonly object[];
}

const validatingConfigurations: ResourceType<WebhookConfiguration> = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  plural: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
};

/** As in the manifests, but for the address: a URL in place of a Service, of which the sandbox has none. */
const configurationFor = (url: string, ca: string): WebhookConfiguration => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: validatingConfigurations.kind,
  metadata: { name: 'gitops-core-service-validating-webhook-configuration' },
  webhooks: doors
    .filter(({ path }) => path.startsWith('/validate-'))
    .map(({ path, kind }) => ({
      name: `v${kind.toLowerCase()}.kb.io`,
      clientConfig: { url: `${url}${path}`, caBundle: Buffer.from(ca).toString('base64') },
      rules: [
        {
          apiGroups: ['managed-gitops.redhat.com'],
          apiVersions: ['v1alpha1'],
          operations: ['CREATE', 'UPDATE'],
          resources: [`${kind.toLowerCase()}s`],
        },
      ],
      failurePolicy: 'Fail',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    })),
});

/** Starts the server, which ends with `stack`, and has the API server ask it from then on. `folder` is for the certificate. */
export const startAdmission = async (
  stack: AsyncDisposableStack,
  platform: Platform,
  { client, folder }: { readonly client: KubeClient; readonly folder: string },
): Promise<void> => {
  const host = '127.0.0.1';
  const { ca, certificate, key } = createServerCertificate({ hosts: [host], random: platform.random });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'tls.crt'), certificate);
  await writeFile(join(folder, 'tls.key'), key, { mode: 0o600 });
  const address = { host, port: 0, off: false };
  const server = createAdmissionServer({ ...platform, address, certificateFolder: folder });
  stack.defer(() => server.stop());
  await server.start();
  await client.create(validatingConfigurations, configurationFor(`https://${host}:${server.port}`, ca));
};
