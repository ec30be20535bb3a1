// The contract suite on the kube-apiserver of the end-to-end suite: a server of its own, of the same programs.
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { setUpWith } from '../contract/set-up.ts';
import { prepareTools } from './tools.ts';

/** Starts it before the first test file; what it returns stops it after the last. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const say = (): void => undefined; // the end-to-end suite itself says what is built
  const tools = await prepareTools({ environment: process.env, argoCd: '3.2', say });
  const assets = await mkdtemp(join(tmpdir(), 'e2e-assets-'));
  await symlink(tools.etcd, join(assets, 'etcd'));
  await symlink(tools.apiServer, join(assets, 'kube-apiserver'));
  await symlink(tools.controllerManager, join(assets, 'kube-controller-manager'));
  const stop = await setUpWith(project, { CONTRACT_SERVER: 'from-environment', KUBEBUILDER_ASSETS: assets });
  return async () => {
    await stop();
    await rm(assets, { recursive: true });
  };
};
