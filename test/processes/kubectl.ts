// kubectl against a demo that stays up, as its user has it.
import { join } from 'node:path';
import { isInstalled, managedGitops, run, temporaryFolder, type Ended, type Running } from './command.ts';

/** Why the tests with kubectl are skipped; undefined where it is installed. It is no package, so it can't be brought. */
export const kubectlMissing = isInstalled('kubectl', 'version', '--client') ? undefined : 'kubectl is not installed';

/** A demo in the namespace `demo`, and kubectl for it. */
export interface DemoCluster extends AsyncDisposable {
  /** The folder that the demo was started in. */
  readonly folder: string;
  /** The folder with the demo's files. */
  readonly files: string;
  /** What the demo has printed. */
  printed(): string;
  /** Runs kubectl in the demo's namespace. */
  kubectl(...args: string[]): Promise<Ended>;
  /** The same for a program that runs until it is stopped. */
  startKubectl(...args: string[]): Running;
  /** Runs command lines in the demo's folder with a shell, as the user would who has set nothing yet. */
  shell(line: string): Promise<Ended>;
}

/** Starts a demo and returns when its own deployment has come and gone. */
export const startDemoCluster = async (): Promise<DemoCluster> => {
  const place = await temporaryFolder();
  const folder = place.path;
  const files = join(folder, '.cache/demo');
  const demo = managedGitops(['demo', '--stay'], { folder });
  const environment = {
    KUBECONFIG: join(files, 'kubeconfig'),
    KUBE_EDITOR: String.raw`sed -i s/type:.automated/type:\ manual/`,
  };
  const startKubectl = (...args: string[]): Running => run('kubectl', ['-n', 'demo', ...args], { folder, environment });
  const endOf = async (running: Running): Promise<Ended> => {
    await using ending = running;
    return await ending.whenEnded;
  };
  const stop = async (): Promise<void> => {
    demo.kill('SIGTERM');
    await demo.whenEnded;
    await place[Symbol.asyncDispose]();
  };
  try {
    await demo.says('It stays up');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    files,
    printed: () => demo.out(),
    startKubectl,
    kubectl: (...args) => endOf(startKubectl(...args)),
    shell: (line) => endOf(run('sh', ['-c', line], { folder })),
    [Symbol.asyncDispose]: stop,
  };
};
