// Webhooks of the suite: each is configured for objects that carry its label, in the namespace of the test file.
import { afterAll, beforeAll } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { freePort } from '../kit/programs.ts';
import { startWebhookServer, type Webhook, type WebhookServer } from '../kit/webhook-server.ts';
import type { Json } from './connection.ts';
import { group, uniqueName, type Suite } from './suite.ts';

/** `metadata.labels` name the case of a webhook here. */
const caseLabel = 'contract.example/case';

/** A webhook that is asked. */
export interface HookedCase {
  /** The name that the API server calls it. */
  readonly name: string;
  /** Where it is called. */
  readonly url: string;
  /** Labels of objects that it is asked about. */
  readonly metadata: Json;
  /** The requests that came, those of the start left out. */
  asked(): readonly Json[];
}

/** What is special about a webhook. */
export interface HookOptions {
  readonly phase?: 'validating' | 'mutating';
  /** Fields of the webhook, over the usual ones. */
  readonly hook?: Json;
  readonly rule?: Json;
  /** Goes before the name of the configuration, which decides the order. */
  readonly order?: string;
  /** Objects with the label of this other case are meant. */
  readonly of?: string;
}

/** Configures webhooks for the tests of a file. */
export interface Hooks {
  /** Configures a webhook, and waits until the API server asks it. */
  hooked(what: string, answer: Webhook, options?: HookOptions): Promise<HookedCase>;
  /** A webhook to be configured by hand. */
  hookOf(name: string, fields?: Json): Json;
  /** The path of the configurations of a phase. */
  configurations(phase: 'validating' | 'mutating'): string;
  /** An address at which nobody listens. */
  nowhere(): Promise<string>;
}

/** The usual rule: gadgets, created and updated. */
const gadgetRule = (fields: Json = {}): Json => ({
  apiGroups: [group],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['gadgets'],
  ...fields,
});

const configurations: Hooks['configurations'] = (phase) =>
  `/apis/admissionregistration.k8s.io/v1/${phase}webhookconfigurations`;

/** Starts a webhook server for a test file, and takes its configurations away afterwards. */
export const useHooks = ({ ask, expectCode, gadgets, namespace }: Suite): Hooks => {
  let server: WebhookServer;
  const made: string[] = [];
  beforeAll(async () => {
    server = await startWebhookServer();
  });
  afterAll(async () => {
    for (const path of made) await ask('DELETE', path);
    await server[Symbol.asyncDispose]();
  });

  const hookOf: Hooks['hookOf'] = (name, fields = {}) => ({
    name,
    clientConfig: { url: `${server.url}/${name}`, caBundle: server.caBundle },
    rules: [gadgetRule()],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...fields,
  });
  const labelled = (value: string): Json => ({ objectSelector: { matchLabels: { [caseLabel]: value } } });

  const configure = async (
    phase: 'validating' | 'mutating',
    order: string,
    webhooks: readonly Json[],
  ): Promise<void> => {
    const name = `${order}${uniqueName()}`;
    const kind = phase === 'validating' ? 'ValidatingWebhookConfiguration' : 'MutatingWebhookConfiguration';
    const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, webhooks };
    made.push(`${configurations(phase)}/${name}`);
    await expectCode(201, 'POST', configurations(phase), { body });
  };

  const hooked: Hooks['hooked'] = async (what, answer, options = {}) => {
    const { phase = 'validating', hook = {}, rule, order = '', of = what } = options;
    const name = `${what}.${phase}.contract.example`;
    const [path, beacon] = [`/${what}-${phase}`, `beacon-${what}-${phase}`];
    const asked = server.serve(path, answer);
    const seen = server.serve(`/${beacon}`, () => ({ allowed: true }));
    const url = `${server.url}${path}`;
    await configure(phase, order, [
      hookOf(name, {
        clientConfig: { url, caBundle: server.caBundle },
        ...labelled(of),
        ...(rule ? { rules: [gadgetRule(rule)] } : {}),
        ...hook,
      }),
      // One that is asked about an object of its own shows that the configuration has taken effect.
      hookOf(`${beacon}.contract.example`, {
        clientConfig: { url: `${server.url}/${beacon}`, caBundle: server.caBundle },
        ...labelled(beacon),
      }),
    ]);
    const body = {
      apiVersion: `${group}/v1`,
      kind: 'Gadget',
      metadata: { name: beacon, labels: { [caseLabel]: beacon } },
      spec: { size: 1 },
    };
    await eventually(`${what} is in effect`, async () => {
      await ask('POST', `${gadgets}?dryRun=All`, { body });
      return seen.length > 0;
    });
    return { name, url, metadata: { labels: { [caseLabel]: of } }, asked: () => asked };
  };

  return {
    hooked,
    hookOf,
    configurations,
    nowhere: async () => `https://127.0.0.1:${await freePort()}`,
  };
};
