// From an Application's source at a commit to its objects: plain YAML, or kustomize's output where kustomize is installed.
import path from 'node:path';
import type { ApplicationSource } from '../../api/argocd/application.ts';
import { Fault } from '../../lib/fault.ts';
import type { KubeObject } from '../../kube/object.ts';
import { isManifestPath, readManifests } from './directory.ts';
import { at } from './fields.ts';
import type { Kustomize } from './kustomize.ts';
import type { CommitFolder, Mirrors, RepositoryFile } from './mirror.ts';

/** What a source renders to. */
export interface Manifests {
  readonly objects: readonly KubeObject[];
  readonly sourceType: 'Directory' | 'Kustomize';
}

/** The commit that a source means, and the repository as it is read. */
export type Commit = Pick<CommitFolder, 'repository' | 'commit'>;

/** Renders sources. */
export interface ManifestReader {
  /** @throws Fault('user') with a sentence for the Application's ComparisonError. */
  read(source: ApplicationSource, from: Commit, signal: AbortSignal): Promise<Manifests>;
}

/** Argo CD's limit for all manifests of an Application together. */
const MAX_MANIFEST_BYTES = 10 * 1024 * 1024;
const KUSTOMIZATION = /^(kustomization\.ya?ml|Kustomization)$/;
/** Rendered commits that are kept: they never change. */
const MAX_CACHED = 64;

const wrong = (message: string): Fault => new Fault('user', 'InvalidSource', message);

/** The folder in Git's own form: no leading `./`, no trailing slash, '' for the root. */
const folderOf = (given: string): string => {
  if (given.startsWith('/')) throw wrong(`${given}: app path is absolute`);
  const folder = path.posix.normalize(given).replace(/\/$/, '');
  if (folder === '..' || folder.startsWith('../')) throw wrong(`${given}: app path outside root`);
  return folder === '.' ? '' : folder;
};

const unsupported = (source: ApplicationSource): string | undefined =>
  ['helm', 'chart', 'plugin', 'kustomize'].find((field) => {
    const value = at(source, field);
    return value !== undefined && value !== null && value !== '';
  });

/** Creates the reader of manifests. */
export const createManifestReader = ({
  mirrors,
  kustomize,
}: {
  readonly mirrors: Mirrors;
  readonly kustomize: Kustomize;
}): ManifestReader => {
  const rendered = new Map<string, Manifests>();

  const list = async (from: CommitFolder, signal: AbortSignal): Promise<readonly RepositoryFile[]> => {
    try {
      return await mirrors.files(from, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof Fault && error.kind === 'user') throw wrong(`${from.folder}: app path does not exist`);
      throw error;
    }
  };

  const readPlain = async (from: CommitFolder, source: ApplicationSource, signal: AbortSignal): Promise<Manifests> => {
    const options = { ...source.directory, recurse: from.recurse };
    const relative = (file: RepositoryFile): string => path.posix.relative(from.folder, file.path);
    const files = (await list(from, signal)).filter((file) => isManifestPath(relative(file), options));
    if (files.reduce((sum, { bytes }) => sum + bytes, 0) > MAX_MANIFEST_BYTES)
      throw wrong(`the manifests in ${from.folder} are larger than ${MAX_MANIFEST_BYTES} bytes in all`);
    const contents = await mirrors.contents(from, files, signal);
    const read = files.map((file, index) => ({ path: relative(file), text: contents[index]?.toString('utf8') ?? '' }));
    return { objects: readManifests(read), sourceType: 'Directory' };
  };

  const render = async (source: ApplicationSource, of: Commit, signal: AbortSignal): Promise<Manifests> => {
    const field = unsupported(source);
    if (field) throw wrong(`the sandbox engine renders plain YAML and plain kustomize only, not source.${field}`);
    const from = { ...of, folder: folderOf(source.path ?? ''), recurse: false };
    const names = (await list(from, signal)).map((file) => path.posix.basename(file.path));
    const recurse = source.directory?.recurse ?? false;
    if (source.directory) return readPlain({ ...from, recurse }, source, signal);
    if (names.includes('Chart.yaml'))
      throw wrong(`the sandbox engine renders plain YAML and kustomize only; ${source.path} is a Helm chart`);
    if (names.some((name) => KUSTOMIZATION.test(name)))
      return {
        objects: readManifests([{ path: 'kustomize.yaml', text: await kustomize(from, signal) }]),
        sourceType: 'Kustomize',
      };
    return readPlain(from, source, signal);
  };

  return {
    async read(source, from, signal) {
      const key = JSON.stringify([from.repository.reader, from.commit, source]);
      const known = rendered.get(key);
      if (known) return known;
      const manifests = await render(source, from, signal);
      const oldest = rendered.keys().next().value;
      if (rendered.size >= MAX_CACHED && oldest !== undefined) rendered.delete(oldest);
      rendered.set(key, manifests);
      return manifests;
    },
  };
};
