// The API server as a function from request to answer; how requests travel is none of its business.
import { ApiError } from '../../kube/status-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { createAdmission } from './admission/admission.ts';
import type { ResolveService } from './admission/call.ts';
import { createRights } from './accounts/rights.ts';
import { createTokenRequests } from './accounts/token-requests.ts';
import { createTokenSecrets } from './accounts/token-secrets.ts';
import { createTokens } from './accounts/tokens.ts';
import { createAnswers } from './http/answers.ts';
import { builtInKinds } from './kinds/built-in-kinds.ts';
import { definitionStrategy, definitionsResource, serveDefinitions } from './kinds/definitions.ts';
import { createDeleter } from './objects/deletion.ts';
import { createDefinitionEmptying } from './upkeep/definition-emptying.ts';
import {
  readableRequest,
  refusalResponse,
  type Answering,
  type ApiResponse,
  type RawRequest,
} from './http/exchange.ts';
import { createGarbageCollector } from './upkeep/garbage.ts';
import { resourceName } from './kinds/kind.ts';
import { startNamespaceEmptying } from './upkeep/namespace-emptying.ts';
import { createObjects, type Objects } from './objects/objects.ts';
import { createOwnership } from './upkeep/ownership.ts';
import { startReactions } from './upkeep/reactions.ts';
import { internalError } from './refusal.ts';
import { createRegistry, type Registry } from './kinds/registry.ts';
import { createRoutes } from './http/routes.ts';
import { createStorage } from './storage/storage.ts';
import { createVerbs } from './http/verbs.ts';
import { createWatching, type WatchTimes } from './objects/watching.ts';

/** What may be set about an API. */
export interface ApiSettings extends WatchTimes {
  /** How many changes of each kind are remembered at least, for watches and pages. */
  readonly historyLimit: number;
  /** How long a deleted namespace keeps its contents, so that `kubectl delete -f` still finds the rest of its file. */
  readonly emptyAfterMs: number;
  /** False for a cluster of old, where tokens are to be had by Secrets only. */
  readonly tokenRequests: boolean;
  /** The longest that a token lives that was asked for, in seconds. */
  readonly maxTokenSeconds: number;
}

/** What an API starts with. */
export interface ApiOptions extends Partial<ApiSettings> {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The bearer token of the administrator, who may do everything. */
  readonly token: string;
  readonly crds: readonly unknown[];
  readonly namespaces: readonly string[];
  /** Where webhooks are that are named by a Service; nowhere unless given. */
  readonly resolveService?: ResolveService | undefined;
}

/** The API, ready for requests. */
export interface Api {
  answer(request: RawRequest): Answering;
  /** The same where no webhook is configured, so that nobody has to be waited for. Throws where one is. */
  respond(request: RawRequest): ApiResponse;
  /** How often each verb was asked of each resource, by `<verb> <plural>[/<subresource>]`. */
  requests(): Readonly<Record<string, number>>;
  stop(): void;
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const seed = (options: ApiOptions, registry: Registry, objects: Objects): void => {
  const namespaces = registry.byResource('namespaces');
  const definitions = registry.byResource(definitionsResource);
  for (const name of new Set([...systemNamespaces, ...options.namespaces])) {
    if (namespaces) objects.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  for (const crd of options.crds) if (definitions) objects.create(definitions, crd);
};

/** Creates an API that holds the system's namespaces, and what the options name. Throws `ApiError` on a bad definition. */
export const createApi = (options: ApiOptions): Api => {
  const { clock, random, log, token } = options;
  const { tokenRequests = true, maxTokenSeconds = 2 ** 32 } = options;
  const { historyLimit = 2000, emptyAfterMs = 100, bookmarkEveryMs = 60_000, watchForMs = 1_800_000 } = options;
  // Revisions begin at the time in seconds: to a client of an earlier life of this server, its revision is then too old,
  // and it lists again instead of waiting for changes that it has missed.
  const storage = createStorage({ firstRevision: Math.floor(clock.now() / 1000), historyLimit });
  const kinds = builtInKinds({ [definitionsResource]: definitionStrategy({ registry: () => registry, clock }) });
  const registry: Registry = createRegistry(
    tokenRequests ? kinds : kinds.map((kind) => ({ ...kind, tokenRequests: false })),
  );
  const objects = createObjects({ storage, registry, clock, random });
  const deleteObject = createDeleter({ storage, objects, clock });
  const ownership = createOwnership();
  const collectGarbage = createGarbageCollector({ objects, registry, deleteObject, ownership });
  const emptyDefinition = createDefinitionEmptying({ storage, registry, objects, deleteObject });
  const namespaces = startNamespaceEmptying({ storage, registry, objects, deleteObject, clock, emptyAfterMs });
  const watch = createWatching({ storage, clock, random, times: { bookmarkEveryMs, watchForMs } });
  const admission = createAdmission({ storage, registry, clock, random, resolveService: options.resolveService });
  const carryOut = createVerbs({ storage, objects, deleteObject, watch, answers: createAnswers(clock), admission });
  const counts = new Map<string, number>();
  const count = (request: string): void => void counts.set(request, (counts.get(request) ?? 0) + 1);
  const tokens = createTokens({ storage, clock, random, adminToken: token });
  const fillTokenSecrets = createTokenSecrets({ storage, registry, objects, deleteObject, tokens });
  const requestToken = tokenRequests
    ? createTokenRequests({ storage, clock, tokens, maxSeconds: maxTokenSeconds })
    : undefined;
  const rights = createRights(storage);
  const route = createRoutes({ storage, registry, carryOut, count, tokens, rights, requestToken });
  const ends = [
    serveDefinitions({ storage, registry }),
    storage.followAll((change) => ownership.follow(change)),
    startReactions({ storage, log, reactions: [collectGarbage, emptyDefinition, namespaces.react, fillTokenSecrets] }),
    () => namespaces.stop(),
    () => admission.stop(),
  ];
  seed(options, registry, objects);

  const refused = (error: unknown): ApiResponse => {
    if (error instanceof ApiError) return refusalResponse(error);
    log.error('a request to the sandbox API server failed', { err: error });
    return refusalResponse(internalError());
  };
  const answer: Api['answer'] = (request) => {
    try {
      const answering = route(readableRequest(request));
      return answering instanceof Promise ? answering.catch(refused) : answering;
    } catch (error) {
      return refused(error);
    }
  };

  return {
    answer,
    respond(request) {
      const answering = answer(request);
      if (answering instanceof Promise) throw new Error('a webhook has to be asked first');
      return answering;
    },
    requests: () => Object.fromEntries(counts),
    stop() {
      for (const end of ends) end();
      for (const kind of registry.all()) storage.endFollowers(resourceName(kind));
    },
  };
};
