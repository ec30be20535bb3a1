// The cluster of a bench: the embedded API server in a process of its own.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseKubeconfig, type ClusterAccess } from '../../src/kube/kubeconfig.ts';
import { startChild } from './child.ts';

/** Requests by client (its User-Agent) and name (`create operations`). */
export type RequestCounts = Record<string, Record<string, number>>;

/** What the program `api-server.ts` says: first its kubeconfig, then its counts whenever it is asked. */
export type ApiServerMessage = { readonly kubeconfig: string } | { readonly counts: RequestCounts };

/** A cluster to measure on. Disposing of it takes away what was put there. */
export interface Cluster extends AsyncDisposable {
  readonly access: ClusterAccess;
  /** The file that says so too, for the service. */
  readonly kubeconfig: string;
  /** Whether others use it too: then nothing may be left there. */
  readonly shared: boolean;
  /** The process of the API server, where it is ours to look at. */
  readonly pid?: number;
  /** What has been asked for so far; undefined where the API server can't be asked. */
  requests(): Promise<RequestCounts> | undefined;
}

/** Starts an API server, which logs into a folder. `onEnd` is told when it ends without having been asked. */
export const startEmbeddedCluster = async (options: {
  readonly folder: string;
  readonly onEnd: (error: Error) => void;
}): Promise<Cluster> => {
  const logFile = join(options.folder, 'api-server.log');
  const log = openSync(logFile, 'a');
  const child = startChild<ApiServerMessage>({
    program: new URL('api-server.ts', import.meta.url),
    stdio: ['ignore', log, log, 'ipc'],
    early: `the API server ended by itself; its log is ${logFile}`,
    onEnd: options.onEnd,
  });
  closeSync(log);
  const first = await child.next();
  if (!('kubeconfig' in first)) throw new Error('the API server did not introduce itself');
  const kubeconfig = join(options.folder, 'kubeconfig');
  writeFileSync(kubeconfig, first.kubeconfig, { mode: 0o600 });
  return {
    access: parseKubeconfig(first.kubeconfig),
    kubeconfig,
    shared: false,
    ...(child.pid === undefined ? {} : { pid: child.pid }),
    async requests() {
      const answer = await child.next('counts');
      return 'counts' in answer ? answer.counts : {};
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
};
