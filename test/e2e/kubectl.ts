// kubectl with a kubeconfig of its own.
import { spawn } from 'node:child_process';

/** Runs kubectl with these words, and this on its standard input; what it printed. @throws with what it complained of. */
export type Kubectl = (words: readonly string[], input?: string) => Promise<string>;

/** kubectl as the user of a kubeconfig file. */
export const createKubectl =
  (kubeconfig: string): Kubectl =>
  (words, input = '') =>
    new Promise((resolve, reject) => {
      const child = spawn('kubectl', words, { env: { ...process.env, KUBECONFIG: kubeconfig } });
      const out: Buffer[] = [];
      const complaints: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
      child.once('error', reject);
      child.once('close', (code) =>
        code === 0
          ? resolve(Buffer.concat(out).toString())
          : reject(new Error(`kubectl ${words.join(' ')}: ${Buffer.concat(complaints).toString()}`)),
      );
      child.stdin.once('error', () => {}); // it has ended early, and says itself why
      child.stdin.end(input);
    });
