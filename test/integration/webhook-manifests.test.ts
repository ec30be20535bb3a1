// The variants of the manifests with webhooks, as kustomize makes them.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { doors } from '../../src/http/admission/doors.ts';
import { parseYamlStream } from '../../src/lib/yaml.ts';
import { asArray, asText, valueAt } from '../../src/sandbox/apiserver/json.ts';
import { kubectlIsThere } from '../contract/kubectl.ts';

const built = (folder: string): unknown[] => {
  const text = execFileSync('kubectl', ['kustomize', join(import.meta.dirname, '../../deploy', folder)]);
  return parseYamlStream(text.toString());
};
const textAt = (object: unknown, ...path: string[]): string => asText(valueAt(object, ...path));
const ofKind = (objects: readonly unknown[], kind: string): unknown[] =>
  objects.filter((object) => textAt(object, 'kind') === kind);
const named = (objects: readonly unknown[], kind: string, name: string): unknown =>
  ofKind(objects, kind).find((object) => textAt(object, 'metadata', 'name') === name);

const variants = [
  {
    folder: 'webhooks/openshift',
    secret: 'core-webhook-server-cert',
    injection: { 'service.beta.openshift.io/inject-cabundle': 'true' },
  },
  {
    folder: 'webhooks/cert-manager',
    secret: 'webhook-server-cert',
    injection: { 'cert-manager.io/inject-ca-from': 'gitops/serving-cert' },
  },
];

// kustomize comes with kubectl, which is no package; the end-to-end suite, which needs it, applies what is built here.
describe.skipIf(!kubectlIsThere)('the manifests', () => {
  it('have no webhooks unless a variant is chosen: the service works without', () => {
    const objects = built('manifests');
    expect(ofKind(objects, 'ValidatingWebhookConfiguration')).toEqual([]);
    expect(ofKind(objects, 'MutatingWebhookConfiguration')).toEqual([]);
  });

  describe.each(variants)('of $folder', ({ folder, secret, injection }) => {
    const objects = built(folder);
    const service = named(objects, 'Service', 'gitops-core-service-webhook-service');

    it.each([
      ['Validating', 'v', 'validate'],
      ['Mutating', 'm', 'mutate'],
    ])('ask the backend for everything: %s', (phase, letter, verb) => {
      const [configuration, ...others] = ofKind(objects, `${phase}WebhookConfiguration`);
      expect(others).toEqual([]);
      expect(valueAt(configuration, 'metadata', 'annotations')).toEqual(injection);
      const hooks = asArray(valueAt(configuration, 'webhooks'));
      const doorsHere = doors.filter(({ path }) => path.startsWith(`/${verb}-`));
      const asked = doorsHere.map(({ kind, path }) => ({
        name: `${letter}${kind.toLowerCase()}.kb.io`,
        clientConfig: { service: { name: 'gitops-core-service-webhook-service', namespace: 'gitops', path } },
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
      }));
      expect(hooks).toEqual(asked);
    });

    it('lead the Service from 443 to the port that the backend listens on', () => {
      const backend = named(objects, 'Deployment', 'managed-gitops-backend');
      const [container] = asArray(valueAt(backend, 'spec', 'template', 'spec', 'containers'));
      expect(valueAt(service, 'spec')).toMatchObject({
        ports: [{ name: 'webhooks', port: 443, targetPort: 'webhooks' }],
        selector: valueAt(backend, 'spec', 'template', 'metadata', 'labels'),
      });
      expect(container).toMatchObject({
        ports: expect.arrayContaining([{ name: 'webhooks', containerPort: 9443 }]),
        env: expect.arrayContaining([
          { name: 'MANAGED_GITOPS_WEBHOOKS', value: 'on' },
          { name: 'MANAGED_GITOPS_WEBHOOK_ADDRESS', value: '0.0.0.0:9443' },
        ]),
      });
    });

    it('give the backend the certificate that is made for the Service', () => {
      const backend = named(objects, 'Deployment', 'managed-gitops-backend');
      const { volumes, containers } = valueAt(backend, 'spec', 'template', 'spec') as Record<string, unknown>; // a pod has both
      expect(volumes).toEqual([{ name: 'webhook-certificate', secret: { secretName: secret } }]);
      expect(asArray(containers)[0]).toMatchObject({
        volumeMounts: [
          { name: 'webhook-certificate', mountPath: '/tmp/k8s-webhook-server/serving-certs', readOnly: true },
        ],
      });
      const annotation = textAt(
        service,
        'metadata',
        'annotations',
        'service.beta.openshift.io/serving-cert-secret-name',
      );
      const certificate = named(objects, 'Certificate', 'serving-cert');
      expect([annotation, textAt(certificate, 'spec', 'secretName')]).toContain(secret);
      if (certificate) {
        expect(certificate).toMatchObject({
          spec: {
            issuerRef: { kind: 'Issuer', name: 'selfsigned-issuer' },
            dnsNames: expect.arrayContaining(['gitops-core-service-webhook-service.gitops.svc']),
          },
        });
      }
    });
  });
});
