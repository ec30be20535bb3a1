// What a request carries: its body decoded, and the options of a write that stand in its query.
import { isRecord } from '../../../kube/json.ts';
import { messageOf } from '../../../lib/fault.ts';
import { parseYaml } from '../../../lib/yaml.ts';
import type { ApiRequest } from './exchange.ts';
import { asText } from '../json.ts';
import type { Kind } from '../kinds/kind.ts';
import { badRequest, invalidObject, unsupportedMediaType } from '../refusal.ts';
import { unsupported } from '../schema/field-error.ts';

const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

const shownStart = (body: string): string => {
  if (body === '') return '<empty>';
  return body.length > 30 ? `${body.slice(0, 30)} ...` : body;
};

const unrecognized = (kind: Pick<Kind, 'kind'>, why: string, body: string): Error =>
  badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${why} (${shownStart(body)})`);

const parse = (kind: Pick<Kind, 'kind'>, { contentType, body }: ApiRequest): unknown => {
  try {
    return contentType === 'application/yaml' ? parseYaml(body) : JSON.parse(body);
  } catch (error) {
    throw unrecognized(kind, `couldn't get version/kind; json parse error: ${messageOf(error)}`, body);
  }
};

/** Reads the object that a request carries. Throws 400 on what is no JSON object, 415 on another media type. */
export const readBody = (kind: Pick<Kind, 'kind'>, request: ApiRequest): Record<string, unknown> => {
  if (request.contentType !== '' && !bodyTypes.includes(request.contentType)) {
    throw unsupportedMediaType(
      `the body of the request was in an unknown format - accepted media types include: ${bodyTypes.join(', ')}`,
    );
  }
  const parsed = parse(kind, request);
  if (isRecord(parsed)) return parsed;
  const what = Array.isArray(parsed) ? 'array' : typeof parsed;
  const why = `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value`;
  throw unrecognized(kind, why, request.body);
};

/** The object that a request carries, of the kind that its path has: built-in kinds need not say so themselves. */
export const readObject = (kind: Kind, request: ApiRequest): Record<string, unknown> => {
  const source = readBody(kind, request);
  if (!kind.custom) {
    const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
    return { ...source, apiVersion: source['apiVersion'] || apiVersion, kind: source['kind'] || kind.kind };
  }
  if (asText(source['kind']) !== '') return source;
  throw unrecognized(kind, `Object 'Kind' is missing in '${request.body}'`, request.body);
};

/** Reads the body of a request that needs none; undefined where there is none. */
export const readOptionalBody = (kind: Kind, request: ApiRequest): unknown =>
  request.body.trim() === '' ? undefined : readBody(kind, request);

/** The options of a verb, as `metav1` names them. */
type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions' | 'DeleteOptions';

const refuseOption = (kind: OptionsKind, field: string, rest: { value: unknown; allowed: readonly string[] }): Error =>
  invalidObject({ group: 'meta.k8s.io', kind }, '', [unsupported(field, rest.value, rest.allowed)]);

/** Whether a write is only tried. Throws 422 on a value of `dryRun` that is not known. */
export const readDryRun = (kind: OptionsKind, values: readonly string[]): boolean => {
  const asked = values.filter((value) => value !== '');
  if (asked.some((value) => value !== 'All')) {
    throw refuseOption(kind, 'dryRun', { value: asked, allowed: ['All'] });
  }
  return asked.length > 0;
};

/** What becomes of unknown fields: refused, warned of, or passed over in silence. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** Reads `fieldValidation`; Warn unless given. Throws 422 on a value that is not known. */
export const readFieldValidation = (kind: OptionsKind, query: URLSearchParams): FieldValidation => {
  const asked = query.get('fieldValidation') || 'Warn';
  if (asked === 'Strict' || asked === 'Warn' || asked === 'Ignore') return asked;
  throw refuseOption(kind, 'fieldValidation', { value: asked, allowed: ['', 'Ignore', 'Strict', 'Warn'] });
};
