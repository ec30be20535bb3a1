// Every refusal the server gives, with the code, reason and wording that clients of Kubernetes know.
import { ApiError, type KubeStatus } from '../../kube/status-error.ts';
import type { Action } from './accounts/rights.ts';
import { invalid, lineOf, type FieldError } from './schema/field-error.ts';
import { kindName, resourceName, type Kind } from './kinds/kind.ts';

type Named = Pick<Kind, 'group' | 'plural'>;

const refusal = (code: number, reason: string, rest: Pick<KubeStatus, 'message' | 'details'>): ApiError =>
  new ApiError(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, ...rest });

const detailsOf = (kind: Named, name: string): NonNullable<KubeStatus['details']> => ({
  name,
  ...(kind.group === '' ? {} : { group: kind.group }),
  kind: kind.plural,
});

/** 400: the request can't be understood. */
export const badRequest = (message: string): ApiError => refusal(400, 'BadRequest', { message });

/** 400: the object is not what its kind is made of, for the reason that the decoder gives. */
export const undecodable = (kind: Pick<Kind, 'kind' | 'version'>, why: string): ApiError =>
  badRequest(`${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${why}`);

/** 401: no token, or one that is not known. */
export const unauthorized = (): ApiError => refusal(401, 'Unauthorized', { message: 'Unauthorized' });

/** 403: creating in a namespace that is going away. */
export const terminating = (kind: Named, namespace: string, name: string): ApiError =>
  refusal(403, 'Forbidden', {
    message: `${resourceName(kind)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    details: {
      ...detailsOf(kind, name),
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });

/** 403: what may not be done to an object. */
export const forbiddenAction = (kind: Named, name: string, why: string): ApiError =>
  refusal(403, 'Forbidden', {
    message: `${resourceName(kind)} "${name}" is forbidden: ${why}`,
    details: detailsOf(kind, name),
  });

/** 403: somebody may not do something. */
export const notPermitted = (username: string, action: Action): ApiError => {
  const { verb, group, resource, namespace, name = '' } = action;
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const about = `${resource.split('/')[0]}${group === '' ? '' : `.${group}`}`;
  return refusal(403, 'Forbidden', {
    message: `${about}${name === '' ? '' : ` "${name}"`} is forbidden: User "${username}" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(group === '' ? {} : { group }),
      kind: resource.split('/')[0] ?? '',
    },
  });
};

/** 404: no object of that name. */
export const notFound = (kind: Named, name: string): ApiError =>
  refusal(404, 'NotFound', {
    message: `${resourceName(kind)} "${name}" not found`,
    details: detailsOf(kind, name),
  });

/** 404: no such path. */
export const noSuchPath = (): ApiError =>
  refusal(404, 'NotFound', { message: 'the server could not find the requested resource', details: {} });

/** 405: the path is there, the method is not. */
export const methodNotAllowed = (): ApiError =>
  refusal(405, 'MethodNotAllowed', {
    message: 'the server does not allow this method on the requested resource',
    details: {},
  });

/** 406: none of the media types asked for is served. */
export const notAcceptable = (served: string): ApiError =>
  refusal(406, 'NotAcceptable', { message: `only the following media types are accepted: ${served}` });

/** 409: the name is taken, perhaps by an object that is about to go. */
export const alreadyExists = (kind: Named, name: string, deleting: boolean): ApiError =>
  refusal(409, 'AlreadyExists', {
    message: `${deleting ? 'object is being deleted: ' : ''}${resourceName(kind)} "${name}" already exists`,
    details: detailsOf(kind, name),
  });

/** 409: what was sent rests on an older state; `why` defaults to the changed resourceVersion. */
export const conflict = (
  kind: Named,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): ApiError =>
  refusal(409, 'Conflict', {
    message: `Operation cannot be fulfilled on ${resourceName(kind)} "${name}": ${why}`,
    details: detailsOf(kind, name),
  });

/** 410: the history no longer reaches back that far. `next` is a token by which a list can go on as things are now. */
export const expired = (message: string, next?: string): ApiError => {
  const { status } = refusal(410, 'Expired', { message });
  return new ApiError(410, next === undefined ? status : Object.assign(status, { metadata: { continue: next } }));
};

/** 413: the body is too big. */
export const tooLarge = (limitBytes: number): ApiError =>
  refusal(413, 'RequestEntityTooLarge', { message: `Request entity too large: limit is ${limitBytes}` });

/** 415: the body's media type is not served. */
export const unsupportedMediaType = (message: string): ApiError => refusal(415, 'UnsupportedMediaType', { message });

/** 422: the object breaks rules; all that were found are listed. */
export const invalidObject = (
  kind: Pick<Kind, 'group' | 'kind'>,
  name: string,
  errors: readonly FieldError[],
): ApiError => {
  const lines = errors.map(lineOf);
  return refusal(422, 'Invalid', {
    message: `${kindName(kind)} "${name}" is invalid: ${lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`}`,
    details: {
      name,
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map((error) => ({ ...error })),
    },
  });
};

/** 422: a patch that does not fit the object. */
export const unprocessable = (message: string): ApiError => refusal(422, 'Invalid', { message });

/** 422: what a patch made of an object is no object of its kind, for the reason that the decoder gives. */
export const undecodablePatch = (patched: unknown, why: string): ApiError => {
  const { message } = invalid('patch', JSON.stringify(patched), why);
  return refusal(422, 'Invalid', {
    message: ` "" is invalid: patch: ${message}`,
    details: { causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }] },
  });
};

/** 500, as the real server has it: a version was given to what is not there yet. */
export const versionOfNothing = (): ApiError =>
  new ApiError(500, {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: 500,
    message: 'resourceVersion should not be set on objects to be created',
  });

/** 504: the resourceVersion asked for has not been reached. */
export const tooNew = (asked: number, current: number): ApiError =>
  refusal(504, 'Timeout', {
    message: `Too large resource version: ${asked}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
  });

/** 500: a defect of this server. */
export const internalError = (): ApiError =>
  refusal(500, 'InternalError', { message: 'Internal error occurred: the sandbox API server failed; see its log' });

/** 500: something that the server needs for an answer has failed, for the reason given. */
export const internalErrorOf = (why: string): ApiError =>
  refusal(500, 'InternalError', {
    message: `Internal error occurred: ${why}`,
    details: { causes: [{ message: why }] },
  });

/** What a webhook said against a write, as a Status that it may have given only in part: never less than a 400. */
export const deniedByWebhook = (name: string, given: Readonly<Record<string, unknown>>): ApiError => {
  const { code, message, reason, status: _success, ...rest } = given;
  const text = [message, reason].filter((one) => typeof one === 'string').find((one) => one !== '');
  const why = text === undefined ? ' without explanation' : `: ${text}`;
  const refused = typeof code === 'number' && code >= 400 ? code : 400;
  return new ApiError(refused, {
    ...rest,
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `admission webhook ${JSON.stringify(name)} denied the request${why}`,
    ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    code: refused,
  });
};
