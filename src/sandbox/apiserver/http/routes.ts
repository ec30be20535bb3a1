// Which part of the server answers which path.
import { readBody } from './body.ts';
import { discover } from '../discovery/discovery.ts';
import { jsonResponse, textResponse, type ApiRequest, type ApiResponse } from './exchange.ts';
import { openApiDocument, openApiIndex } from '../discovery/openapi.ts';
import { answerOpenApiV2 } from '../discovery/openapi-v2.ts';
import { badRequest, noSuchPath, unauthorized } from '../refusal.ts';
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
  readonly carryOut: (verb: Verb, request: ApiRequest, target: Target) => ApiResponse;
  /** Told of each request to a resource, as `<verb> <plural>[/<subresource>]`. */
  readonly count: (request: string) => void;
  readonly token: string;
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
export const createRoutes = (parts: RouteParts): ((request: ApiRequest) => ApiResponse) => {
  const { storage, registry, carryOut, count, token } = parts;

  const answerOpenApi = (segments: readonly string[], request: ApiRequest): ApiResponse => {
    const [, form, ...rest] = segments;
    if (form === 'v2') return answerOpenApiV2(request.accept);
    if (form !== 'v3') throw noSuchPath();
    if (rest.length === 0) return jsonResponse(openApiIndex(registry.all(), storage.revision));
    const document = openApiDocument(registry.all(), rest.join('/'));
    if (!document) throw noSuchPath();
    return jsonResponse(document);
  };

  const answerReviews = (segments: readonly string[], request: ApiRequest): ApiResponse | undefined => {
    const [root, group, , ...rest] = segments;
    const plural = rest[0] === 'namespaces' ? rest[2] : rest[0];
    const review = reviewKinds.find((kind) => root === 'apis' && kind.group === group && kind.plural === plural);
    if (!review || request.method !== 'POST') return undefined;
    count(`create ${review.plural}`);
    return jsonResponse(answerReview(review, readBody(review, request), token), 201);
  };

  const answerObjects = (segments: readonly string[], request: ApiRequest): ApiResponse => {
    const target = readTarget(registry, segments);
    const verb = verbOf(request, target);
    count(`${verb} ${target.kind.plural}${target.subresource ? `/${target.subresource}` : ''}`);
    return carryOut(verb, request, target);
  };

  return (request) => {
    const segments = segmentsOf(request.path);
    const open = answerPublic(segments[0]);
    if (open) return open;
    if (request.authorization !== `Bearer ${token}`) throw unauthorized();
    if (segments[0] === 'openapi') return answerOpenApi(segments, request);
    return (
      (request.method === 'GET' ? discover(registry.all(), segments, request) : undefined) ??
      answerReviews(segments, request) ??
      answerObjects(segments, request)
    );
  };
};
