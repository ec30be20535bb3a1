// One complete, consistent listing of a kind, page by page.
import { Fault } from '../lib/fault.ts';
import type { KubeClient, Selection } from '../kube/client.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { isGone } from '../kube/status-error.ts';

/** About 7 ms of parsing a page, so that other work is never held for long. */
const PAGE_SIZE = 500;
const PAGE_DEADLINE_MS = 60_000;

/** Everything that was there at `resourceVersion`, from which a watch goes on. */
export interface Listing<T> {
  readonly objects: readonly T[];
  readonly resourceVersion: string;
}

/** What is listed. */
export interface ListingOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  readonly selection: Selection;
  readonly signal: AbortSignal;
}

/**
 * Lists everything at one `resourceVersion`, the newest (no `resourceVersion` is sent, so the answer is never stale).
 * A continue token that expires on the way would leave a listing of two moments: then everything is read anew at once,
 * without pages.
 */
export const listAll = async <T extends KubeObject>(options: ListingOptions<T>): Promise<Listing<T>> => {
  try {
    return await listPages(options, PAGE_SIZE);
  } catch (error) {
    if (!isGone(error)) throw error;
    return listPages(options, undefined);
  }
};

const listPages = async <T extends KubeObject>(
  { client, resource, selection, signal }: ListingOptions<T>,
  limit: number | undefined,
): Promise<Listing<T>> => {
  const objects: T[] = [];
  for (let token: string | undefined; ;) {
    const page = await client.list(resource, {
      ...selection,
      ...(limit === undefined ? {} : { limit }),
      ...(token ? { continue: token } : {}),
      signal,
      deadlineMs: PAGE_DEADLINE_MS,
      retry: false,
    });
    objects.push(...page.items);
    token = page.metadata.continue;
    if (token) continue;
    const { resourceVersion } = page.metadata;
    if (!resourceVersion) throw new Fault('internal', 'ApiAnswerUnreadable', 'a list came without a resourceVersion');
    return { objects, resourceVersion };
  }
};
