// What each verb does to what a path names.
import { isRecord } from '../../../kube/json.ts';
import { apiVersionOf, type ObjectRef } from '../../../kube/object.ts';
import type { Answers } from './answers.ts';
import { messageOf } from '../../../lib/fault.ts';
import { readDeletion, type DeleteObject } from '../objects/deletion.ts';
import { jsonResponse, streamResponse, type ApiRequest, type ApiResponse } from './exchange.ts';
import type { Kind } from '../kinds/kind.ts';
import { listPage, readScope } from '../objects/listing.ts';
import type { Objects } from '../objects/objects.ts';
import { readPatch } from './patching.ts';
import { badRequest, methodNotAllowed, unsupportedMediaType } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';
import type { Target } from './target.ts';
import { repeatedFields, strictProblems, strictRefusal, type FieldValidation } from '../objects/unknown-fields.ts';
import type { createWatching } from '../objects/watching.ts';

/** A verb of the Kubernetes API on objects. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** What the verbs work with. */
export interface VerbParts {
  readonly storage: Storage;
  readonly objects: Objects;
  readonly deleteObject: DeleteObject;
  readonly watch: ReturnType<typeof createWatching>;
  readonly answers: Answers;
}

/** The verb of a request. Throws 405 where the path does not take the method. */
export const verbOf = (request: ApiRequest, target: Target): Verb => {
  const { name, subresource } = target;
  const watches = request.query.get('watch') === 'true' || request.query.get('watch') === '1';
  const onObject: Record<string, Verb> = { GET: 'get', PUT: 'update', PATCH: 'patch' };
  const onCollection: Record<string, Verb> = { GET: watches ? 'watch' : 'list', DELETE: 'deletecollection' };
  const verbs = name === undefined ? onCollection : onObject;
  if (name === undefined && (target.kind.namespaced ? target.namespace !== undefined : true)) verbs['POST'] = 'create';
  if (name !== undefined && subresource === undefined) verbs['DELETE'] = 'delete';
  const verb = verbs[request.method === 'HEAD' ? 'GET' : request.method];
  if (!verb) throw methodNotAllowed('the server does not allow this method on the requested resource');
  return verb;
};

const parseBody = (request: ApiRequest): unknown => {
  try {
    return JSON.parse(request.body);
  } catch (error) {
    throw badRequest(`the body is no JSON: ${messageOf(error)}`);
  }
};

const readBody = (request: ApiRequest): unknown => {
  if (request.contentType !== '' && request.contentType !== 'application/json') {
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json',
    );
  }
  return parseBody(request);
};

const readOptionalBody = (request: ApiRequest): unknown => (request.body.trim() === '' ? undefined : readBody(request));

const readFieldValidation = (query: URLSearchParams): FieldValidation => {
  const asked = query.get('fieldValidation') || 'Warn';
  if (asked === 'Strict' || asked === 'Warn' || asked === 'Ignore') return asked;
  throw badRequest(
    `fieldValidation: Unsupported value: ${JSON.stringify(asked)}: supported values: "Ignore", "Strict", "Warn"`,
  );
};

/** Reads what a write has in common: whether it is kept, and what becomes of unknown fields. */
const readWrite = (request: ApiRequest, kind: Kind) => {
  const validation = readFieldValidation(request.query);
  const headers: Record<string, string> = {};
  const onUnknown = (unknown: readonly string[]): void => {
    if (validation === 'Ignore') return;
    const problems = strictProblems({ unknown, repeated: repeatedFields(request.body) });
    if (problems.length === 0) return;
    if (validation === 'Strict') throw strictRefusal(kind, problems);
    headers['warning'] = problems.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  };
  const dryRun = request.query.getAll('dryRun').some((value) => value !== '');
  return { write: { dryRun, onUnknown }, headers };
};

const refOf = (target: Target): ObjectRef => ({
  name: target.name ?? '',
  ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
});

/** Creates the function that carries out a verb. Throws `ApiError` where it is refused. */
export const createVerbs = (parts: VerbParts) => {
  const { storage, objects, deleteObject, watch, answers } = parts;

  const remove = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind } = target;
    const deletion = readDeletion(kind, readOptionalBody(request), request.query);
    const { object, gone } = deleteObject(kind, refOf(target), deletion);
    if (!gone) return jsonResponse(answers.shaper(request, kind)(object));
    const group = kind.group === '' ? {} : { group: kind.group };
    const details = { name: object.metadata.name, ...group, kind: kind.plural, uid: object.metadata.uid };
    return jsonResponse({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', details });
  };

  const removeAll = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, namespace } = target;
    const deletion = readDeletion(kind, readOptionalBody(request), request.query);
    const page = listPage(storage, readScope(kind, request.query, namespace), request.query);
    for (const object of page.items) deleteObject(kind, object.metadata, deletion);
    return jsonResponse(answers.list(request, kind, page));
  };

  const update = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, subresource } = target;
    const body = readBody(request);
    const { write, headers } = readWrite(request, kind);
    const options = { ...write, needsVersion: true, ...(subresource ? { subresource } : {}) };
    const object = objects.update(kind, refOf(target), { ...options, change: () => body });
    return jsonResponse(answers.shaper(request, kind)(object), 200, headers);
  };

  const patch = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, subresource } = target;
    const change = readPatch(
      kind,
      request.contentType,
      request.contentType.endsWith('json') ? parseBody(request) : undefined,
    );
    const { write, headers } = readWrite(request, kind);
    const object = objects.update(kind, refOf(target), { ...write, ...(subresource ? { subresource } : {}), change });
    return jsonResponse(answers.shaper(request, kind)(object), 200, headers);
  };

  const create = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, namespace } = target;
    const { write, headers } = readWrite(request, kind);
    const source = completed(kind, readBody(request));
    const object = objects.create(kind, source, { ...write, ...(namespace === undefined ? {} : { namespace }) });
    return jsonResponse(answers.shaper(request, kind)(object), 201, headers);
  };

  return (verb: Verb, request: ApiRequest, target: Target): ApiResponse => {
    const { kind, namespace } = target;
    switch (verb) {
      case 'get':
        return jsonResponse(answers.shaper(request, kind)(objects.get(kind, refOf(target))));
      case 'list':
        return jsonResponse(
          answers.list(request, kind, listPage(storage, readScope(kind, request.query, namespace), request.query)),
        );
      case 'watch':
        return streamResponse(
          watch(readScope(kind, request.query, namespace), request.query, answers.shaper(request, kind)),
        );
      case 'create':
        return create(request, target);
      case 'update':
        return update(request, target);
      case 'patch':
        return patch(request, target);
      case 'delete':
        return remove(request, target);
      case 'deletecollection':
        return removeAll(request, target);
    }
  };
};

/** Built-in kinds may be created without naming their own kind, as typed clients do. */
const completed = (kind: Kind, source: unknown): unknown => {
  if (kind.custom || !isRecord(source)) return source;
  return { ...source, apiVersion: source['apiVersion'] || apiVersionOf(kind), kind: source['kind'] || kind.kind };
};
