// What every file of the suite works with: a connection, a namespace of its own, and a way to promise something.
import { afterAll, beforeAll, expect, inject, it as test, type TestContext } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { valueAt } from '../../src/sandbox/apiserver/json.ts';
import { connect, type Answer, type Connection, type Json, type Watch } from './connection.ts';
import { differences } from './differences.ts';
import { groupOf, runLabel } from './kinds.ts';

const run = inject('contract');

/** The group of the suite's kinds. */
export const group = groupOf(run.id);

/** Whether namespaces are emptied and garbage is collected on the server of this run. */
export const { controllers } = run;

/** The paths in which a file of the suite may work. */
export interface Places {
  readonly namespace: string;
  readonly gadgets: string;
  readonly notes: string;
  readonly configMaps: string;
  readonly secrets: string;
  readonly events: string;
}

/** A connection, and places to work in. */
export interface Suite extends Connection, Places {
  readonly kubeconfig: string;
  /** Creates one more namespace, which goes with the run. */
  createNamespace(name?: string): Promise<string>;
  /** Asks, and expects the code; the answer's body. */
  expectCode(code: number, ...request: Parameters<Connection['ask']>): Promise<Json>;
}

/** A name that nobody else has. */
export const uniqueName = (): string => `contract-${run.id}-${systemRandom.uuid().slice(0, 8)}`;

/** Connects a test file; its namespace is there before the first test, and asked to go after the last. */
export const useSuite = (): Suite => {
  const connection = connect(run.kubeconfig);
  const namespace = uniqueName();
  const expectCode: Suite['expectCode'] = async (code, ...request) => {
    const answer: Answer = await connection.ask(...request);
    expect(answer.code, `${request[0]} ${request[1]}: ${answer.text.slice(0, 1000)}`).toBe(code);
    return answer.body;
  };
  const createNamespace = async (name = uniqueName()): Promise<string> => {
    const metadata = { name, labels: { [runLabel]: run.id } };
    await expectCode(201, 'POST', '/api/v1/namespaces', { body: { apiVersion: 'v1', kind: 'Namespace', metadata } });
    return name;
  };
  beforeAll(() => createNamespace(namespace));
  afterAll(async () => {
    await connection.ask('DELETE', `/api/v1/namespaces/${namespace}`);
    connection.close();
  });
  return { ...connection, ...placesIn(namespace), kubeconfig: run.kubeconfig, createNamespace, expectCode };
};

/** The paths of the kinds that the suite uses most, in a namespace. */
export const placesIn = (namespace: string): Places => ({
  namespace,
  gadgets: `/apis/${group}/v1/namespaces/${namespace}/gadgets`,
  notes: `/apis/${group}/v1/notes`,
  configMaps: `/api/v1/namespaces/${namespace}/configmaps`,
  secrets: `/api/v1/namespaces/${namespace}/secrets`,
  events: `/api/v1/namespaces/${namespace}/events`,
});

/**
 * A promise of the contract. One that the embedded server is known not to keep (`differences.ts`) has to fail there: it
 * fails the suite as soon as it is kept, so that the list stays true.
 */
export const it = (name: string, body: (context: TestContext) => Promise<void> | void): void => {
  const known = run.side === 'embedded' && differences.some((difference) => difference.test === name);
  const promise = known ? test.fails : test;
  promise(name, body);
};

/** A gadget to be sent. */
export const gadget = (name: string, spec: object = { size: 1 }, metadata: object = {}): Json => ({
  apiVersion: `${group}/v1`,
  kind: 'Gadget',
  metadata: { name, ...metadata },
  spec,
});

/** A config map to be sent. */
export const configMap = (name: string, data: object = {}, metadata: object = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
});

/** The text at a path of field names; fails the test where there is none. */
export const textAt = (source: unknown, ...path: readonly string[]): string => {
  const text = valueAt(source, ...path);
  if (typeof text !== 'string') throw new Error(`no text at ${path.join('.')} of ${JSON.stringify(source)}`);
  return text;
};

/** The `resourceVersion` of an object or a list. */
export const versionOf = (source: unknown): string => textAt(source, 'metadata', 'resourceVersion');

/** The names in a list. */
export const namesIn = (list: Json): string[] => {
  const { items } = list;
  return Array.isArray(items) ? items.map((item) => textAt(item, 'metadata', 'name')) : [];
};

/** The events of a watch as `TYPE name`, once there are as many; bookmarks are left out. */
export const seen = async (watch: Watch, count: number): Promise<string[]> => {
  const changes = (): string[] =>
    watch.events
      .filter(({ type }) => type !== 'BOOKMARK')
      .map(({ type, object }) => `${type} ${String(valueAt(object, 'metadata', 'name'))}`);
  await eventually(`${count} events come, not ${changes().length}`, () => changes().length >= count);
  return changes();
};

/** The name of a path's last part. */
export const at = (path: string, name: string): string => `${path}/${name}`;

/** The media types of patches. */
export const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;
