// Chooses the API server that the contract suite runs against, and gives it the suite's own kinds for the run.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestProject } from 'vitest/node';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { asArray, asText, valueAt } from '../../src/sandbox/apiserver/json.ts';
import type { ObjectMeta } from '../../src/kube/object.ts';
import { startApiServer } from '../../src/sandbox/apiserver/server.ts';
import { silentLog } from '../kit/captured-log.ts';
import { eventually } from '../kit/eventually.ts';
import { kubeconfigText } from '../kit/kubeconfig-text.ts';
import { connect, type Connection, type Json } from './connection.ts';
import { runLabel, suiteDefinitions } from './kinds.ts';
import { startRealServer } from './real-server.ts';

/** What a test file is told of the run. */
export interface ContractRun {
  readonly side: 'embedded' | 'real';
  /** Whether namespaces are emptied and garbage is collected. */
  readonly controllers: boolean;
  /** YAML without references to files. */
  readonly kubeconfig: string;
  /** Eight random characters that are in every name of this run. */
  readonly id: string;
}

declare module 'vitest' {
  /** What the global set-up tells the tests; `inject('contract')` reads it. */
  export interface ProvidedContext {
    contract: ContractRun;
  }
}

interface Server {
  readonly side: ContractRun['side'];
  readonly controllers: boolean;
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

/** Long enough for a cluster's own controllers, which look every few seconds. */
const EMPTYING_MS = 90_000;

const fromKubeconfig = (path: string): Server => {
  const readFile = (file: string): string => readFileSync(file, 'utf8');
  const access = parseKubeconfig(readFile(path), { readFile, directory: dirname(path) });
  return { side: 'real', controllers: true, kubeconfig: kubeconfigText(access), stop: async () => {} };
};

const startEmbedded = async (): Promise<Server> => {
  const server = await startApiServer({ clock: systemClock, random: systemRandom, log: silentLog });
  return { side: 'embedded', controllers: true, kubeconfig: server.kubeconfig, stop: server.stop };
};

/**
 * Only `npm run test:contract` sets CONTRACT_SERVER: without it, whatever else the environment says, nothing but the
 * embedded server is touched, so that `make test` never writes into somebody's cluster.
 */
const startServer = async (env: NodeJS.ProcessEnv): Promise<Server> => {
  if (env['CONTRACT_SERVER'] !== 'from-environment') return startEmbedded();
  const { KUBECONFIG: kubeconfig, KUBEBUILDER_ASSETS: assets } = env;
  if (kubeconfig) return fromKubeconfig(kubeconfig);
  if (assets) return { side: 'real', ...(await startRealServer(assets)) };
  return startEmbedded();
};

const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const define = async (connection: Connection, id: string): Promise<void> => {
  for (const definition of suiteDefinitions(id, { [runLabel]: id })) {
    const { code, body } = await connection.ask('POST', definitionsPath, { body: definition });
    if (code !== 201) throw new Error(`the suite's kinds can't be defined: ${JSON.stringify(body)}`);
    const { group, names } = definition.spec;
    await eventually(`${names.plural} are served`, async () => {
      const listed = await connection.ask('GET', `/apis/${group}/v1/${names.plural}`);
      return listed.code === 200;
    });
  }
};

const metadataIn = (list: Json): ObjectMeta[] =>
  asArray(list['items']).map((item) => valueAt(item, 'metadata') as ObjectMeta); // every object has it

/** Takes the suite's own finalizers away, which a test that failed may have left. */
const release = async (connection: Connection, selector: string): Promise<void> => {
  const definitions = await connection.ask('GET', `${definitionsPath}?${selector}`);
  const collections = asArray(definitions.body['items']).map((definition) => {
    const text = (...path: string[]): string => asText(valueAt(definition, 'spec', ...path));
    return `/apis/${text('group')}/${asText(valueAt(asArray(valueAt(definition, 'spec', 'versions'))[0], 'name'))}/${text('names', 'plural')}`;
  });
  for (const collection of collections) {
    const { body } = await connection.ask('GET', collection);
    for (const metadata of metadataIn(body)) {
      if (!metadata.finalizers?.some((name) => name.startsWith('contract.example/'))) continue;
      const place = metadata.namespace
        ? collection.replace(/\/([^/]+)$/, `/namespaces/${metadata.namespace}/$1`)
        : collection;
      const patch = { body: { metadata: { finalizers: null } }, contentType: 'application/merge-patch+json' };
      await connection.ask('PATCH', `${place}/${metadata.name}`, patch);
    }
  }
};

const cleanUp = async (connection: Connection, run: ContractRun): Promise<void> => {
  const selector = `labelSelector=${encodeURIComponent(`${runLabel}=${run.id}`)}`;
  const namespaces = await connection.ask('GET', `/api/v1/namespaces?${selector}`);
  for (const metadata of metadataIn(namespaces.body)) {
    await connection.ask('DELETE', `/api/v1/namespaces/${metadata.name}`);
  }
  await release(connection, selector);
  await connection.ask('DELETE', `${definitionsPath}?${selector}`);
  if (!run.controllers) return; // nobody will ever empty them; the server itself goes in a moment
  await eventually(
    'all that the suite made is gone',
    async () => {
      const left = await Promise.all(
        ['/api/v1/namespaces', definitionsPath].map((path) => connection.ask('GET', `${path}?${selector}`)),
      );
      return left.every(({ body }) => asArray(body['items']).length === 0);
    },
    EMPTYING_MS,
  );
};

/** Starts or finds the server before the first test file; what it returns cleans up after the last. */
export const setup = (project: TestProject): Promise<() => Promise<void>> => setUpWith(project, process.env);

/** The same for variables given. */
export const setUpWith = async (project: TestProject, env: NodeJS.ProcessEnv): Promise<() => Promise<void>> => {
  const { side, controllers, kubeconfig, stop } = await startServer(env);
  const run: ContractRun = { side, controllers, kubeconfig, id: systemRandom.uuid().slice(0, 8) };
  const connection = connect(run.kubeconfig);
  const end = async (): Promise<void> => {
    try {
      await cleanUp(connection, run);
    } finally {
      connection.close();
      await stop();
    }
  };
  try {
    await define(connection, run.id);
  } catch (error) {
    await end();
    throw error;
  }
  project.provide('contract', run);
  return end;
};
