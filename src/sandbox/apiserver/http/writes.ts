// Writes of objects: read from a request, carried out as far as webhooks let them.
import type { Admission } from '../admission/admission.ts';
import type { RefuseObject } from '../objects/admit.ts';
import type { Answers } from './answers.ts';
import { readDryRun, readFieldValidation, readObject } from './body.ts';
import { writtenResponse, type Answering, type ApiRequest } from './exchange.ts';
import { asObject, asText, without, type JsonObject } from '../json.ts';
import { after } from '../later.ts';
import { resourceName, type ApiObject, type Kind } from '../kinds/kind.ts';
import type { Objects } from '../objects/objects.ts';
import { readPatch } from './patching.ts';
import { conflict, undecodable, undecodablePatch } from '../refusal.ts';
import type { Storage } from '../storage/storage.ts';
import { refOf, type Target } from './target.ts';
import { repeatedFields, strictProblems } from '../objects/unknown-fields.ts';

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
  const said: string[] = [];
  const warn = (text: string): void => {
    if (said.includes(text)) return;
    said.push(text);
    headers['warning'] = said.map((one) => `299 - ${JSON.stringify(one)}`).join(', ');
  };
  const onUnknown = (unknown: readonly string[]): void => {
    if (validation === 'Ignore') return;
    const problems = strictProblems({ unknown, repeated: repeatedFields(request.body) });
    if (problems.length > 0 && validation === 'Strict') throw refuse(`strict decoding error: ${problems.join(', ')}`);
    for (const problem of problems) warn(problem);
  };
  const fieldManager = request.query.get('fieldManager');
  const told = {
    // A patch is shown to webhooks as the replacement that it comes to.
    kind: options === 'PatchOptions' ? 'UpdateOptions' : options,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun ? { dryRun: ['All'] } : {}),
    ...(fieldManager === null ? {} : { fieldManager }),
    ...(request.query.has('fieldValidation') ? { fieldValidation: validation } : {}),
  };
  return { write: { dryRun, onUnknown, refuse }, headers, admitted: { dryRun, options: told, warn } };
};

/** What webhooks are told of the object's place. A Namespace is in itself. */
const placeOf = ({ kind, namespace, subresource, ...target }: Target, name = target.name ?? '') => ({
  kind,
  name,
  namespace: namespace ?? (resourceName(kind) === 'namespaces' ? name : ''),
  ...(subresource ? { subresource } : {}),
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

/** The verbs that write. */
export interface Writes {
  create(request: ApiRequest, target: Target): Answering;
  update(request: ApiRequest, target: Target): Answering;
  patch(request: ApiRequest, target: Target): Answering;
}

/** Creates the writing verbs. */
export const createWrites = (parts: {
  readonly storage: Storage;
  readonly objects: Objects;
  readonly answers: Answers;
  readonly admission: Admission;
}): Writes => {
  const { storage, objects, answers, admission } = parts;

  const create = (request: ApiRequest, target: Target, source = readObject(target.kind, request)): Answering => {
    const { kind, namespace } = target;
    const refuse: RefuseObject = (why) => undecodable(kind, why);
    const { write, headers, admitted } = readWrite(request, { options: 'CreateOptions', refuse });
    const options = { ...write, ...(namespace === undefined ? {} : { namespace }) };
    const name = asText(asObject(source['metadata'])['name']);
    const kept = admission.carryOut({
      attributes: { ...admitted, ...placeOf(target, name), operation: 'CREATE' },
      stage: () => objects.stage.create(kind, source, options),
    });
    return after(kept, (object) => writtenResponse(answers.writer(request, kind)(object), 201, headers));
  };

  const update = (request: ApiRequest, target: Target): Answering => {
    const { kind, subresource } = target;
    const source = readObject(kind, request);
    if (kind.createOnUpdate && !storage.get(resourceName(kind), refOf(target))) {
      return create(request, target, asNew(kind, source));
    }
    const refuse: RefuseObject = (why) => undecodable(kind, why);
    const { write, headers, admitted } = readWrite(request, { options: 'UpdateOptions', refuse });
    const options = { ...write, replaces: true, ...(subresource ? { subresource } : {}), change: () => source };
    const kept = admission.carryOut({
      attributes: { ...admitted, ...placeOf(target), operation: 'UPDATE' },
      stage: () => objects.stage.update(kind, refOf(target), options),
    });
    return after(kept, (object) => writtenResponse(answers.writer(request, kind)(object), 200, headers));
  };

  const patch = (request: ApiRequest, target: Target): Answering => {
    const { kind, subresource } = target;
    const apply = readPatch(kind, request);
    let patched: unknown;
    const change = (existing: ApiObject): unknown => (patched = apply(existing));
    const refuse: RefuseObject = (why) => undecodablePatch(patched, why);
    const { write, headers, admitted } = readWrite(request, { options: 'PatchOptions', refuse });
    const options = { ...write, ...(subresource ? { subresource } : {}), change };
    const kept = admission.carryOut({
      attributes: { ...admitted, ...placeOf(target), operation: 'UPDATE' },
      stage: () => objects.stage.update(kind, refOf(target), options),
    });
    return after(kept, (object) => writtenResponse(answers.writer(request, kind)(object), 200, headers));
  };

  return { create: (request, target) => create(request, target), update, patch };
};
