// A real kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names, for one run of the suite.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startControlPlane } from '../kit/control-plane.ts';
import { createPrograms } from '../kit/programs.ts';

/** A server that runs until it is stopped. */
export interface RealServer {
  readonly kubeconfig: string;
  /** Whether the folder has a kube-controller-manager too. */
  readonly controllers: boolean;
  stop(): Promise<void>;
}

/** Starts the programs of a folder. @throws with the end of a log where one fails. */
export const startRealServer = async (assets: string): Promise<RealServer> => {
  const programs = await createPrograms('contract');
  const controllerManager = join(assets, 'kube-controller-manager');
  const controllers = existsSync(controllerManager);
  try {
    const { kubeconfig } = await startControlPlane(programs, {
      etcd: join(assets, 'etcd'),
      apiServer: join(assets, 'kube-apiserver'),
      controllerManager: controllers ? controllerManager : undefined,
    });
    return { kubeconfig, controllers, stop: programs.stop };
  } catch (error) {
    await programs.stop();
    throw error;
  }
};
