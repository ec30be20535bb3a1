// Plain manifests as Argo CD reads them from a folder: which files count, and what objects are in them. Pure.
import { Fault, messageOf } from '../../lib/fault.ts';
import { parseYamlStream } from '../../lib/yaml.ts';
import { isRecord } from '../../kube/json.ts';
import type { KubeObject } from '../../kube/object.ts';
import { at, listAt, textAt } from './fields.ts';
import { matchesGlob } from './glob.ts';
import { isHook } from './hooks.ts';

/** How a folder is read: `spec.source.directory`. */
export interface DirectoryOptions {
  readonly recurse?: boolean | undefined;
  readonly include?: string | undefined;
  readonly exclude?: string | undefined;
}

/** A file of the folder; `path` is relative to it. */
export interface ManifestFile {
  readonly path: string;
  readonly text: string;
}

/** A file with this text in it is left out: it is meant for another tool. */
const SKIP_MARK = '+argocd:skip-file-rendering';

/** Whether Argo CD would read this file as a manifest. `include` and `exclude` see the path relative to the folder. */
export const isManifestPath = (path: string, options: DirectoryOptions): boolean => {
  if (!/\.(yaml|yml|json|jsonnet)$/.test(path)) return false;
  if (!options.recurse && path.includes('/')) return false;
  if (options.exclude && matchesGlob(options.exclude, path)) return false;
  return !options.include || matchesGlob(options.include, path);
};

const unreadable = (path: string, why: string): Fault =>
  new Fault('user', 'InvalidManifest', `Failed to unmarshal ${JSON.stringify(path.split('/').at(-1))}: ${why}`);

/** A file that is no manifest is left out unless it looks like one: then its author wants to know. */
const looksLikeManifest = (text: string): boolean =>
  ['apiVersion:', 'kind:', 'metadata:'].every((word) => text.includes(word));

const isObject = (value: unknown): value is KubeObject => isRecord(value) && textAt(value, 'kind') !== '';

const complaint = (object: KubeObject): string | undefined => {
  if (textAt(object, 'apiVersion') === '') return `${object.kind} has no apiVersion`;
  const named = textAt(object, 'metadata', 'name') !== '';
  const prefixed = textAt(object, 'metadata', 'generateName') !== '';
  if (!named && !prefixed) return `${object.kind} has no metadata.name`;
  const labels = at(object, 'metadata', 'labels');
  const annotations = at(object, 'metadata', 'annotations');
  const fits = (map: unknown): boolean =>
    map === undefined ||
    map === null ||
    (isRecord(map) && Object.values(map).every((value) => typeof value === 'string'));
  if (!fits(labels) || !fits(annotations)) return `${object.kind} has a label or annotation that is not text`;
  return named || isHook(object)
    ? undefined
    : `${object.kind} has no metadata.name, and only hooks may use generateName`;
};

/** The objects of a `List`, else the object itself. A list whose items are null has none. */
const expand = (document: KubeObject): readonly unknown[] => {
  const items = at(document, 'items');
  if (Array.isArray(items)) return listAt(document, 'items');
  return document.kind.endsWith('List') && items === null ? [] : [document];
};

const objectsOf = (path: string, documents: readonly unknown[]): readonly KubeObject[] =>
  documents.flatMap((document) => {
    if (!isObject(document)) throw unreadable(path, "Object 'Kind' is missing");
    return expand(document).map((object) => {
      if (!isObject(object)) throw unreadable(path, "Object 'Kind' is missing in an item of a List");
      const wrong = complaint(object);
      if (wrong) throw unreadable(path, wrong);
      return object;
    });
  });

const readJson = ({ path, text }: ManifestFile): readonly KubeObject[] => {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw unreadable(path, messageOf(error));
  }
  return objectsOf(path, [document]);
};

const readYaml = ({ path, text }: ManifestFile): readonly KubeObject[] => {
  let documents: readonly unknown[];
  try {
    documents = parseYamlStream(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    if (!looksLikeManifest(text)) return [];
    throw unreadable(path, messageOf(error));
  }
  if (!documents.some(isObject) && !looksLikeManifest(text)) return [];
  return objectsOf(path, documents);
};

/**
 * The objects of a folder's files, in the order of their paths.
 * @throws Fault('user', 'InvalidManifest') for a file that looks like a manifest and is none.
 */
export const readManifests = (files: readonly ManifestFile[]): readonly KubeObject[] =>
  files
    .toSorted((left, right) => (left.path < right.path ? -1 : 1))
    .filter((file) => !file.text.includes(SKIP_MARK))
    .flatMap((file) => {
      if (file.path.endsWith('.jsonnet'))
        throw new Fault('user', 'InvalidManifest', `the sandbox engine does not evaluate Jsonnet: ${file.path}`);
      return file.path.endsWith('.json') ? readJson(file) : readYaml(file);
    });
