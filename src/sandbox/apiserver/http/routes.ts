// Which part of the server answers which path.
import { readBody } from './body.ts';
import { discover } from '../discovery/discovery.ts';
import { jsonResponse, textResponse, type Answering, type ApiRequest, type ApiResponse } from './exchange.ts';
import { openApiDocument, openApiIndex } from '../discovery/openapi.ts';
import { answerOpenApiV2 } from '../discovery/openapi-v2.ts';
import { badRequest, noSuchPath, notPermitted, unauthorized } from '../refusal.ts';
import type { Action, Caller, Rights } from '../accounts/rights.ts';
import { tokenRequestKind, type createTokenRequests } from '../accounts/token-requests.ts';
import type { Tokens } from '../accounts/tokens.ts';
import type { Registry } from '../kinds/registry.ts';
import { answerReview, reviewKinds } from '../discovery/reviews.ts';
import type { Storage } from '../storage/storage.ts';
import { readTarget, type Target } from './target.ts';
import { verbOf, type Verb } from './verbs.ts';

/** What `/version` answers: the version of the API that is imitated, and that this is an imitation. */
const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+managed-gitops-sandbox',
  gitCommit: 'stand-in, not a Kubernetes API server',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'sandbox/memory',
};

/** What the routes lead to. */
export interface RouteParts {
  readonly storage: Storage;
  readonly registry: Registry;
  readonly carryOut: (verb: Verb, request: ApiRequest, target: Target) => Answering;
  /** Told of each request to a resource, as `<verb> <plural>[/<subresource>]`. */
  readonly count: (request: string) => void;
  readonly tokens: Tokens;
  readonly rights: Rights;
  /** Answers a request for a token; undefined where there are none. */
  readonly requestToken: ReturnType<typeof createTokenRequests> | undefined;
}

/** A request of somebody who is known. */
interface Call {
  readonly segments: readonly string[];
  readonly request: ApiRequest;
  readonly caller: Caller;
}

const segmentsOf = (path: string): string[] => {
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    throw badRequest('the path is not well encoded');
  }
};

const answerPublic = (root: string | undefined): ApiResponse | undefined => {
  if (root === 'healthz' || root === 'livez' || root === 'readyz') return textResponse('ok');
  return root === 'version' ? jsonResponse(version) : undefined;
};

/** Creates the function that answers requests. It throws `ApiError` where it refuses. */
export const createRoutes = (parts: RouteParts): ((request: ApiRequest) => Answering) => {
  const { storage, registry, carryOut, count, tokens, rights, requestToken } = parts;

  const permit = (caller: Caller, action: Action): void => {
    if (!rights.allow(caller, action)) throw notPermitted(caller.username, action);
  };

  const answerOpenApi = (segments: readonly string[], request: ApiRequest): ApiResponse => {
    const [, form, ...rest] = segments;
    if (form === 'v2') return answerOpenApiV2(request.accept);
    if (form !== 'v3') throw noSuchPath();
    if (rest.length === 0) return jsonResponse(openApiIndex(registry.all(), storage.revision));
    const document = openApiDocument(registry.all(), rest.join('/'));
    if (!document) throw noSuchPath();
    return jsonResponse(document);
  };

  const answerReviews = ({ segments, request, caller }: Call): ApiResponse | undefined => {
    const [root, group, , ...rest] = segments;
    const plural = rest[0] === 'namespaces' ? rest[2] : rest[0];
    const review = reviewKinds.find((kind) => root === 'apis' && kind.group === group && kind.plural === plural);
    if (!review || request.method !== 'POST') return undefined;
    count(`create ${review.plural}`);
    return jsonResponse(answerReview(review, readBody(review, request), { caller, parts: { rights, tokens } }), 201);
  };

  const answerTokenRequest = ({ segments, request, caller }: Call): ApiResponse | undefined => {
    const path = /^api\/v1\/namespaces\/([^/]+)\/serviceaccounts\/([^/]+)\/token$/.exec(segments.join('/'));
    if (!path || !requestToken || request.method !== 'POST') return undefined;
    const [, namespace = '', name = ''] = path;
    count('create serviceaccounts/token');
    permit(caller, { verb: 'create', group: '', resource: 'serviceaccounts/token', namespace, name });
    return jsonResponse(requestToken({ namespace, name }, readBody(tokenRequestKind, request)), 201);
  };

  const answerObjects = ({ segments, request, caller }: Call): Answering => {
    const target = readTarget(registry, segments);
    const verb = verbOf(request, target);
    const { kind, namespace, name } = target;
    const resource = `${kind.plural}${target.subresource ? `/${target.subresource}` : ''}`;
    count(`${verb} ${resource}`);
    permit(caller, {
      verb,
      group: kind.group,
      resource,
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    });
    return carryOut(verb, request, target);
  };

  return (request) => {
    const segments = segmentsOf(request.path);
    const open = answerPublic(segments[0]);
    if (open) return open;
    const caller = tokens.callerOf(/^Bearer (.+)$/.exec(request.authorization)?.[1] ?? '');
    if (!caller) throw unauthorized();
    const call = { segments, request, caller };
    if (segments[0] === 'openapi') return answerOpenApi(segments, request);
    return (
      (request.method === 'GET' ? discover(registry.all(), segments, request) : undefined) ??
      answerReviews(call) ??
      answerTokenRequest(call) ??
      answerObjects(call)
    );
  };
};
