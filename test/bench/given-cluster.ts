// A cluster that is there already, named by a kubeconfig: what it must have, and what is put there for the bench.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { customResourceDefinition, type CustomResourceDefinition } from '../../src/api/crd.ts';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig, type ClusterAccess } from '../../src/kube/kubeconfig.ts';
import type { ResourceType } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/fault.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import type { Cluster } from './embedded-cluster.ts';
import { platform } from './platform.ts';

/** Addresses the definitions of kinds. */
export const definitions: ResourceType<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};

const LOOK_EVERY_MS = 50;

/**
 * Opens the cluster of a kubeconfig. Our own definitions are made where they are missing, and taken away again.
 * @throws when it lacks Argo CD's definitions, or somebody's deployments are there: a second service would act on them.
 */
export const openGivenCluster = async (file: string, signal: AbortSignal): Promise<Cluster> => {
  const access = readAccess(file);
  const client = createKubeClient({
    access,
    ...platform,
    metrics: createMetrics(),
  });
  const made: string[] = [];
  const close = async (): Promise<void> => {
    for (const name of made) await client.delete(definitions, { name });
    client.close();
  };
  try {
    await demandArgoCd(client);
    for (const kind of ownKinds) {
      const definition = customResourceDefinition(kind);
      if (await isThere(client, definition.metadata.name)) continue;
      await client.create(definitions, definition);
      made.push(definition.metadata.name);
      await untilServed(client, kind.resource, signal);
    }
    const { items } = await client.list(gitOpsDeployments, { limit: 1 });
    if (items.length > 0)
      throw new Error('the cluster has GitOpsDeployments already: use one without, they would be acted on');
  } catch (error) {
    await close();
    throw error;
  }
  return { access, kubeconfig: resolve(file), shared: true, requests: () => undefined, [Symbol.asyncDispose]: close };
};

/** How to reach the cluster of a kubeconfig. @throws naming the file. */
export const readAccess = (file: string): ClusterAccess => {
  const readFile = (path: string): string => readFileSync(path, 'utf8');
  try {
    return parseKubeconfig(readFile(file), { readFile, directory: dirname(resolve(file)) });
  } catch (error) {
    throw new Error(`--kubeconfig ${file}: ${messageOf(error)}`, { cause: error });
  }
};

const isThere = async (client: KubeClient, name: string): Promise<boolean> => {
  try {
    await client.get(definitions, { name });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
};

const demandArgoCd = async (client: KubeClient): Promise<void> => {
  const names = argoKinds.map((kind) => customResourceDefinition(kind).metadata.name);
  const there = await Promise.all(names.map((name) => isThere(client, name)));
  const missing = names.filter((_, index) => !there[index]);
  if (missing.length > 0) throw new Error(`the cluster lacks Argo CD's ${missing.join(' and ')}: apply them first`);
};

const untilServed = async (client: KubeClient, resource: ResourceType, signal: AbortSignal): Promise<void> => {
  for (;;) {
    try {
      await client.list(resource, { limit: 1 });
      return;
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await sleep(systemClock, LOOK_EVERY_MS, signal);
    }
  }
};
