// The programs of a real cluster: found in a folder that somebody made, or built once from their Go modules and kept.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where each program is. */
export interface Tools {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  /** The folder of `kustomize`, for Argo CD's path. */
  readonly kustomize: string;
  /** All servers of Argo CD are this program, told apart by the name it is started under. */
  readonly argoCd: string;
  /** The folder with Argo CD's CustomResourceDefinitions. */
  readonly argoCdKinds: string;
}

/** The versions of Argo CD that the suite runs with. */
export const argoCdVersions = ['3.2', '2.12'] as const;
/** One of them. */
export type ArgoCdVersion = (typeof argoCdVersions)[number];

/** What there is to know for finding or building. */
export interface ToolsOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly argoCd: ArgoCdVersion;
  /** Told what is being built, since that takes minutes. */
  readonly say: (line: string) => void;
}

/** A Go module below `tools/`, which names its programs as tools; its checksums decide whether it is built anew. */
interface Recipe {
  readonly module: string;
  /** File name → package. */
  readonly programs: Readonly<Record<string, string>>;
  /** `-X` of the linker: package path and value. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Folder of a module that is kept too → its name. */
  readonly files?: { readonly module: string; readonly folder: string };
}

const kubernetes: Recipe = {
  module: 'kubernetes',
  programs: {
    'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
    'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  },
  // Clients read the server's version; without these there is none.
  variables: {
    'k8s.io/component-base/version.gitVersion': 'v1.36.3',
    'k8s.io/component-base/version.gitMajor': '1',
    'k8s.io/component-base/version.gitMinor': '36',
  },
};
const etcd: Recipe = { module: 'etcd', programs: { etcd: 'go.etcd.io/etcd/server/v3' } };
const kustomize: Recipe = { module: 'kustomize', programs: { kustomize: 'sigs.k8s.io/kustomize/kustomize/v5' } };

const argoCd = (version: ArgoCdVersion, exact: string): Recipe => {
  const path = `github.com/argoproj/argo-cd/v${version.split('.', 1)[0]}`;
  return {
    module: `argo-cd-${version}`,
    programs: { argocd: `${path}/cmd` },
    variables: { [`${path}/common.version`]: exact },
    files: { module: path, folder: 'manifests/crds' },
  };
};
const argoCdRecipes: Readonly<Record<ArgoCdVersion, Recipe>> = {
  '3.2': argoCd('3.2', '3.2.11'),
  '2.12': argoCd('2.12', '2.12.3'),
};

const sources = fileURLToPath(new URL('tools', import.meta.url));
const run = promisify(execFile);

/**
 * Finds or builds what the suite needs: `KUBEBUILDER_ASSETS` names a folder with etcd, kube-apiserver and
 * kube-controller-manager, as other controller projects use it; the rest, and these where it is not set, is built into the
 * user's cache folder.
 * @throws with a line for each thing that is missing on the machine.
 */
export const prepareTools = async (options: ToolsOptions): Promise<Tools> => {
  await assertPrerequisites(options);
  const assets = options.environment['KUBEBUILDER_ASSETS'];
  const built = async (recipe: Recipe): Promise<string> => build(recipe, options);
  const controlPlane = assets ?? (await built(kubernetes));
  const engine = await built(argoCdRecipes[options.argoCd]);
  return {
    etcd: join(assets ?? (await built(etcd)), 'etcd'),
    apiServer: join(controlPlane, 'kube-apiserver'),
    controllerManager: join(controlPlane, 'kube-controller-manager'),
    kustomize: await built(kustomize),
    argoCd: join(engine, 'argocd'),
    argoCdKinds: join(engine, 'crds'),
  };
};

type Known = Pick<ToolsOptions, 'environment' | 'argoCd'>;

/** True where all is installed, and nothing would have to be built. */
export const areToolsReady = async (known: Known): Promise<boolean> =>
  toBuild(known).length === 0 && (await missingOf(known)).length === 0;

/** What is not in the cache. */
const toBuild = ({ environment, argoCd: version }: Known): readonly Recipe[] =>
  [kustomize, argoCdRecipes[version], ...(environment['KUBEBUILDER_ASSETS'] ? [] : [kubernetes, etcd])].filter(
    (recipe) => !existsSync(folderOf(recipe, environment)),
  );

interface Prerequisite {
  readonly program: string;
  readonly words: string[];
  readonly why: string;
}

const go126: Prerequisite = {
  program: 'go',
  words: ['version'],
  why: 'Go 1.26 or newer builds the control plane and Argo CD, once',
};
const prerequisites: readonly Prerequisite[] = [
  { program: 'git', words: ['--version'], why: 'git serves the repositories' },
  {
    program: 'redis-server',
    words: ['--version'],
    why: 'redis-server, a package of most systems, is the cache of Argo CD',
  },
  { program: 'openssl', words: ['version'], why: 'openssl makes certificates of users' },
  { program: 'kubectl', words: ['version', '--client'], why: 'kubectl applies the manifests' },
];

/** A line for each thing that is missing. */
const missingOf = async (known: Known): Promise<string[]> => {
  const needed = toBuild(known).length > 0 ? [go126, ...prerequisites] : prerequisites;
  const missing = await Promise.all(
    needed.map(({ program, words, why }) =>
      run(program, words, { env: known.environment }).then(
        () => [],
        () => [`${program} is missing: ${why}`],
      ),
    ),
  );
  return missing.flat();
};

const assertPrerequisites = async (known: Known): Promise<void> => {
  const missing = await missingOf(known);
  if (missing.length > 0) throw new Error(`the end-to-end suite can't run:\n${missing.join('\n')}`);
};

/** `$XDG_CACHE_HOME/managed-gitops/tools/<module>-<what it was made of>`, by default below `~/.cache`. */
const folderOf = (recipe: Recipe, environment: NodeJS.ProcessEnv): string => {
  const cache = environment['XDG_CACHE_HOME'] || join(environment['HOME'] ?? '', '.cache');
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(sources, recipe.module, file)));
  return join(cache, 'managed-gitops', 'tools', `${recipe.module}-${hash.digest('hex').slice(0, 12)}`);
};

/** Builds into a folder beside the final one, which then takes its name: what is there is whole. */
const build = async (recipe: Recipe, { environment, say }: ToolsOptions): Promise<string> => {
  const folder = folderOf(recipe, environment);
  if (existsSync(folder)) return folder;
  await mkdir(join(folder, '..'), { recursive: true });
  const unfinished = await mkdtemp(`${folder}.`);
  try {
    for (const [file, path] of Object.entries(recipe.programs)) {
      say(`building ${file} (once; kept in the cache folder)`);
      const variables = Object.entries(recipe.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
      const flags = ['-trimpath', `-ldflags=-s -w ${variables.join(' ')}`, '-o', join(unfinished, file)];
      await go(recipe, ['build', ...flags, path], environment);
    }
    if (recipe.files) {
      const found = await run('go', ['list', '-m', '-f', '{{.Dir}}', recipe.files.module], {
        cwd: join(sources, recipe.module),
        env: environment,
      });
      await cp(join(found.stdout.trim(), recipe.files.folder), join(unfinished, 'crds'), { recursive: true });
    }
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error; // else another run was faster
    });
    return folder;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
};

/** Runs go in the module's folder. What it says is kept for the error: a download alone is a hundred lines. */
const go = ({ module }: Recipe, words: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn('go', words, {
      cwd: join(sources, module),
      env: { ...environment, CGO_ENABLED: '0' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${module} could not be built:\n${said}`)),
    );
  });
