// What each verb does to what a path names.
import type { ObjectRef } from '../../../kube/object.ts';
import type { RefuseObject } from '../objects/admit.ts';
import type { Answers } from './answers.ts';
import { readDryRun, readFieldValidation, readObject, readOptionalBody } from './body.ts';
import { readDeletion, type DeleteObject } from '../objects/deletion.ts';
import { jsonResponse, streamResponse, writtenResponse, type ApiRequest, type ApiResponse } from './exchange.ts';
import { asObject, asText, without, type JsonObject } from '../json.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import { listPage, readScope } from '../objects/listing.ts';
import type { Objects } from '../objects/objects.ts';
import { readPatch } from './patching.ts';
import { badRequest, conflict, methodNotAllowed, noSuchPath, undecodable, undecodablePatch } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';
import type { Target } from './target.ts';
import { repeatedFields, strictProblems } from '../objects/unknown-fields.ts';
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

const collectionVerbs = (request: ApiRequest, { kind, namespace }: Target): Record<string, Verb> => {
  const watches = request.query.get('watch') === 'true' || request.query.get('watch') === '1';
  return {
    GET: watches ? 'watch' : 'list',
    ...(kind.kind === 'Namespace' ? {} : { DELETE: 'deletecollection' }),
    ...(kind.namespaced && namespace === undefined ? {} : { POST: 'create' }),
  };
};

const objectVerbs = ({ subresource }: Target): Record<string, Verb> => ({
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  ...(subresource === undefined ? { DELETE: 'delete' } : {}),
});

/** The verb of a request. Throws 405, or what the real server says, where the path does not take the method. */
export const verbOf = (request: ApiRequest, target: Target): Verb => {
  const { kind, name, namespace } = target;
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const verb = (name === undefined ? collectionVerbs(request, target) : objectVerbs(target))[method];
  if (verb) return verb;
  if (kind.custom && name === undefined && (method === 'PUT' || method === 'PATCH')) {
    throw badRequest('name must be provided');
  }
  if (kind.custom && kind.namespaced && namespace === undefined) throw noSuchPath();
  throw methodNotAllowed();
};

/** What the writes of objects have in common. */
interface Writing {
  readonly options: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';
  readonly refuse: RefuseObject;
}

/** Reads what a write is asked for: whether it is kept, and what becomes of unknown fields. */
const readWrite = (request: ApiRequest, { options, refuse }: Writing) => {
  const validation = readFieldValidation(options, request.query);
  const dryRun = readDryRun(options, request.query.getAll('dryRun'));
  const headers: Record<string, string> = {};
  const onUnknown = (unknown: readonly string[]): void => {
    if (validation === 'Ignore') return;
    const problems = strictProblems({ unknown, repeated: repeatedFields(request.body) });
    if (problems.length === 0) return;
    if (validation === 'Strict') throw refuse(`strict decoding error: ${problems.join(', ')}`);
    headers['warning'] = problems.map((text) => `299 - ${JSON.stringify(text)}`).join(', ');
  };
  return { write: { dryRun, onUnknown, refuse }, headers };
};

const refOf = (target: Target): ObjectRef => ({
  name: target.name ?? '',
  ...(target.namespace === undefined ? {} : { namespace: target.namespace }),
});

/** A replacement of what is not there, as an object to be created. Its UID would have to be that of nothing: 409. */
const asNew = (kind: Kind, source: JsonObject): JsonObject => {
  const metadata = asObject(source['metadata']);
  if (metadata['uid']) {
    const uid = asText(metadata['uid']);
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: `;
    throw conflict(kind, asText(metadata['name']), why);
  }
  return { ...source, metadata: without(metadata, 'resourceVersion') };
};

/** Creates the function that carries out a verb. Throws `ApiError` where it is refused. */
export const createVerbs = (parts: VerbParts) => {
  const { storage, objects, deleteObject, watch, answers } = parts;

  const remove = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind } = target;
    const deletion = readDeletion(readOptionalBody(kind, request), request.query);
    const { object, gone } = deleteObject(kind, refOf(target), deletion);
    if (!gone) return writtenResponse(answers.writer(request, kind)(object));
    const group = kind.group === '' ? {} : { group: kind.group };
    const details = { name: object.metadata.name, ...group, kind: kind.plural, uid: object.metadata.uid };
    return jsonResponse({ apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', details });
  };

  const removeAll = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, namespace } = target;
    const deletion = readDeletion(readOptionalBody(kind, request), request.query);
    const page = listPage(storage, readScope(kind, request.query, namespace), request.query);
    for (const object of page.items) deleteObject(kind, object.metadata, deletion);
    return jsonResponse(answers.list(request, kind, page));
  };

  const create = (request: ApiRequest, target: Target, source = readObject(target.kind, request)): ApiResponse => {
    const { kind, namespace } = target;
    const refuse: RefuseObject = (why) => undecodable(kind, why);
    const { write, headers } = readWrite(request, { options: 'CreateOptions', refuse });
    const object = objects.create(kind, source, { ...write, ...(namespace === undefined ? {} : { namespace }) });
    return writtenResponse(answers.writer(request, kind)(object), 201, headers);
  };

  const update = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, subresource } = target;
    const source = readObject(kind, request);
    if (kind.createOnUpdate && !storage.get(resourceName(kind), refOf(target))) {
      return create(request, target, asNew(kind, source));
    }
    const refuse: RefuseObject = (why) => undecodable(kind, why);
    const { write, headers } = readWrite(request, { options: 'UpdateOptions', refuse });
    const options = { ...write, replaces: true, ...(subresource ? { subresource } : {}) };
    const object = objects.update(kind, refOf(target), { ...options, change: () => source });
    return writtenResponse(answers.writer(request, kind)(object), 200, headers);
  };

  const patch = (request: ApiRequest, target: Target): ApiResponse => {
    const { kind, subresource } = target;
    const apply = readPatch(kind, request);
    let patched: unknown;
    const change = (existing: ApiObject): unknown => (patched = apply(existing));
    const refuse: RefuseObject = (why) => undecodablePatch(patched, why);
    const { write, headers } = readWrite(request, { options: 'PatchOptions', refuse });
    const object = objects.update(kind, refOf(target), { ...write, ...(subresource ? { subresource } : {}), change });
    return writtenResponse(answers.writer(request, kind)(object), 200, headers);
  };

  return (verb: Verb, request: ApiRequest, target: Target): ApiResponse => {
    const { kind, namespace } = target;
    switch (verb) {
      case 'get':
        return writtenResponse(answers.writer(request, kind)(objects.get(kind, refOf(target))));
      case 'list':
        return jsonResponse(
          answers.list(request, kind, listPage(storage, readScope(kind, request.query, namespace), request.query)),
        );
      case 'watch':
        return streamResponse(
          watch(readScope(kind, request.query, namespace), request.query, answers.writer(request, kind)),
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
