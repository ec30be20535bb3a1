// What each verb does to what a path names.
import type { Admission } from '../admission/admission.ts';
import type { Answers } from './answers.ts';
import { readOptionalBody } from './body.ts';
import { readDeletion, type DeleteObject } from '../objects/deletion.ts';
import {
  jsonResponse,
  streamResponse,
  writtenResponse,
  type Answering,
  type ApiRequest,
  type ApiResponse,
} from './exchange.ts';
import { listPage, readScope } from '../objects/listing.ts';
import type { Objects } from '../objects/objects.ts';
import { badRequest, methodNotAllowed, noSuchPath } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';
import { refOf, type Target } from './target.ts';
import type { createWatching } from '../objects/watching.ts';
import { createWrites } from './writes.ts';

/** A verb of the Kubernetes API on objects. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** What the verbs work with. */
export interface VerbParts {
  readonly storage: Storage;
  readonly objects: Objects;
  readonly deleteObject: DeleteObject;
  readonly watch: ReturnType<typeof createWatching>;
  readonly answers: Answers;
  readonly admission: Admission;
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

/** Creates the function that carries out a verb. Throws `ApiError` where it is refused. */
export const createVerbs = (parts: VerbParts) => {
  const { storage, objects, deleteObject, watch, answers } = parts;
  const { create, update, patch } = createWrites(parts);

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

  return (verb: Verb, request: ApiRequest, target: Target): Answering => {
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
