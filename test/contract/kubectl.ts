// The real kubectl, as a user has it: its own configuration, cache and home in a folder that goes with the tests.
import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

const program = 'kubectl';

/** Whether kubectl is on the path. It is no package, so it can't be brought. */
export const kubectlIsThere = spawnSync(program, ['version', '--client']).status === 0;

/** What kubectl has printed, on either stream, and its exit code. */
export interface Printed {
  readonly code: number;
  readonly text: string;
}

/** A kubectl that runs until it is stopped. */
export interface Following extends AsyncDisposable {
  /** The lines so far. */
  readonly lines: readonly string[];
}

/** kubectl for one API server and one namespace. */
export interface Kubectl {
  /** Runs it; the words are its arguments. */
  run(...words: string[]): Promise<Printed>;
  /** Runs a command line without quotes in it, which has to succeed; what it prints. */
  line(text: string): Promise<string>;
  follow(...words: string[]): Following;
  /** Writes a manifest, as JSON where it is no text; the path of the file. */
  file(name: string, content: unknown): Promise<string>;
  remove(): Promise<void>;
}

/** Prepares kubectl. `editor` is what `kubectl edit` runs, with the file's name added. */
export const createKubectl = async (options: {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly editor: string;
}): Promise<Kubectl> => {
  const folder = await mkdtemp(join(tmpdir(), 'contract-kubectl-'));
  const file: Kubectl['file'] = async (name, content) => {
    const path = join(folder, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
    return path;
  };
  const config = await file('config', options.kubeconfig);
  const flags = [`--kubeconfig=${config}`, `--cache-dir=${join(folder, 'cache')}`, `--namespace=${options.namespace}`];
  const env = { PATH: process.env['PATH'], HOME: folder, KUBE_EDITOR: options.editor };

  const run: Kubectl['run'] = (...words) =>
    new Promise((resolve) => {
      execFile(program, [...flags, ...words], { env, cwd: folder }, (error, stdout, stderr) => {
        resolve({ code: Number(error?.code ?? 0), text: `${stdout}${stderr}`.trim() });
      });
    });

  return {
    run,
    file,
    async line(text) {
      const printed = await run(...text.split(' '));
      expect({ line: text, ...printed }).toMatchObject({ code: 0 });
      return printed.text;
    },
    follow(...words) {
      const child = spawn(program, [...flags, ...words], { env, cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
      const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
      let text = '';
      child.stdout.on('data', (chunk) => (text += String(chunk)));
      return {
        get lines() {
          return text.split('\n').filter((line) => line !== '');
        },
        async [Symbol.asyncDispose]() {
          child.kill();
          await ended;
        },
      };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};
