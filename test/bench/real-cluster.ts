// A cluster of the bench's own that is real: kube-apiserver, etcd and kube-controller-manager, with Argo CD's kinds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CustomResourceDefinition } from '../../src/api/crd.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { parseYaml } from '../../src/lib/yaml.ts';
import { prepareTools } from '../e2e/tools.ts';
import { startControlPlane } from '../kit/control-plane.ts';
import { createPrograms } from '../kit/programs.ts';
import type { Cluster } from './embedded-cluster.ts';
import { definitions, openGivenCluster, readAccess } from './given-cluster.ts';
import { platform } from './platform.ts';

/** What it is started with. */
export interface RealClusterOptions {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Starts it, for one run: with it goes what was put there. Its programs are built first where they are not in the cache. */
export const startRealCluster = async ({ signal, say }: RealClusterOptions): Promise<Cluster> => {
  const tools = await prepareTools({ environment: process.env, argoCd: '3.2', say });
  const programs = await createPrograms('bench-real');
  try {
    const { kubeconfig } = await startControlPlane(programs, tools);
    const file = await programs.file('kubeconfig', kubeconfig);
    const client = createKubeClient({ ...platform, access: readAccess(file), metrics: createMetrics() });
    for (const kind of ['application', 'appproject']) {
      const text = readFileSync(join(tools.argoCdKinds, `${kind}-crd.yaml`), 'utf8');
      await client.create(definitions, parseYaml(text) as CustomResourceDefinition); // Argo CD's own file
    }
    client.close();
    const cluster = await openGivenCluster(file, signal);
    return { ...cluster, shared: false, [Symbol.asyncDispose]: programs.stop };
  } catch (error) {
    await programs.stop();
    throw error;
  }
};
