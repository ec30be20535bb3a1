// JSON patch (RFC 6902), applied. Paths are JSON pointers (RFC 6901).
import { isRecord } from '../../../kube/json.ts';
import { isEqualJson } from '../../../kube/patch.ts';
import { badRequest, unprocessable } from '../refusal.ts';

const segmentsOf = (pointer: unknown): string[] => {
  if (typeof pointer !== 'string') throw badRequest('a JSON patch operation needs a path');
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw badRequest(`JSON pointer ${JSON.stringify(pointer)} does not begin with /`);
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
};

const missing = (segment: string): Error =>
  unprocessable(`jsonpatch: path ${JSON.stringify(segment)} does not exist in the object`);

const indexOf = (segment: string, most: number): number => {
  const index = /^(0|[1-9]\d*)$/.test(segment) ? Number(segment) : Number.NaN;
  if (!(index <= most)) throw missing(segment);
  return index;
};

const childOf = (value: unknown, segment: string): unknown => {
  if (Array.isArray(value)) return value[indexOf(segment, value.length - 1)];
  if (isRecord(value) && Object.hasOwn(value, segment)) return value[segment];
  throw missing(segment);
};

const read = (document: unknown, path: readonly string[]): unknown => path.reduce(childOf, document);

type Edit = (parent: unknown, segment: string) => unknown;

/** The document with the parent of `path` replaced by what `edit` makes of it. */
const editParent = (document: unknown, path: readonly string[], edit: Edit): unknown => {
  const [segment, ...rest] = path;
  if (segment === undefined) throw badRequest('a JSON patch may not remove the whole object');
  if (rest.length === 0) return edit(document, segment);
  const child = editParent(childOf(document, segment), rest, edit);
  return put(document, segment, child);
};

const put = (parent: unknown, segment: string, value: unknown): unknown => {
  if (Array.isArray(parent)) return parent.with(indexOf(segment, parent.length - 1), value);
  if (isRecord(parent)) return Object.fromEntries([...Object.entries(parent), [segment, value]]);
  throw missing(segment);
};

const add = (document: unknown, path: readonly string[], value: unknown): unknown => {
  if (path.length === 0) return value;
  return editParent(document, path, (parent, segment) => {
    if (!Array.isArray(parent)) return put(parent, segment, value);
    const index = segment === '-' ? parent.length : indexOf(segment, parent.length);
    return parent.toSpliced(index, 0, value);
  });
};

const remove = (document: unknown, path: readonly string[]): unknown =>
  editParent(document, path, (parent, segment) => {
    childOf(parent, segment);
    if (Array.isArray(parent)) return parent.toSpliced(Number(segment), 1);
    return Object.fromEntries(Object.entries(parent ?? {}).filter(([name]) => name !== segment));
  });

const applyOperation = (document: unknown, operation: unknown): unknown => {
  if (!isRecord(operation)) throw badRequest('a JSON patch is a list of operations');
  const path = segmentsOf(operation['path']);
  const { op, value } = operation;
  switch (op) {
    case 'add':
      return add(document, path, value);
    case 'remove':
      return remove(document, path);
    case 'replace':
      read(document, path);
      return path.length === 0 ? value : editParent(document, path, (parent, segment) => put(parent, segment, value));
    case 'copy':
      return add(document, path, read(document, segmentsOf(operation['from'])));
    case 'move': {
      const from = segmentsOf(operation['from']);
      return add(remove(document, from), path, read(document, from));
    }
    case 'test':
      if (isEqualJson(read(document, path), value)) return document;
      throw unprocessable(`jsonpatch: testing path ${String(operation['path'])} failed`);
    default:
      throw badRequest(`a JSON patch operation can't be ${JSON.stringify(op)}`);
  }
};

/** What a JSON patch makes of a document. Throws 400 on a malformed patch, 422 where it does not fit the document. */
export const applyJsonPatch = (document: unknown, patch: unknown): unknown => {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations');
  return patch.reduce(applyOperation, document);
};
