// The verbs of one API server. Thin: JSON goes in and out untouched, every refusal is an `ApiError`.
import type { KubeList, KubeObject, ObjectRef, ResourceType } from './object.ts';
import type { KubeStatus } from './status-error.ts';

/** What every call takes. Without `deadlineMs` the client's default applies (15 s). */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For all attempts together. */
  readonly deadlineMs?: number;
  /** False makes the first attempt the only one, for callers that have a rhythm of their own. */
  readonly retry?: boolean;
}

/** Which objects a list or watch selects. */
export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Paging and consistency of a list (`metav1.ListOptions`). */
export interface ListOptions extends Selection, CallOptions {
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

/** How a watch starts (`metav1.ListOptions`). It lasts until the server ends it or `signal` aborts. */
export interface WatchOptions extends Selection {
  readonly signal: AbortSignal;
  readonly resourceVersion?: string;
  /** WatchList: begin with the present objects, then a bookmark with `k8s.io/initial-events-end`. */
  readonly sendInitialEvents?: boolean;
  readonly allowWatchBookmarks?: boolean;
  /** Seconds after which the server ends the watch by itself. */
  readonly timeoutSeconds?: number;
  /** Called once the server has accepted the watch, before the first event. */
  readonly onOpen?: () => void;
}

/** One line of a watch. A BOOKMARK's object carries only `metadata.resourceVersion` and annotations. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: T }
  | { readonly type: 'ERROR'; readonly object: KubeStatus };

/**
 * A patch: `merge` is RFC 7386, `json` is RFC 6902, `strategic` is Kubernetes' own (built-in kinds only).
 * A `metadata.resourceVersion` inside a merge patch makes it conditional.
 */
export interface PatchBody {
  readonly type: 'merge' | 'json' | 'strategic';
  readonly body: unknown;
  readonly subresource?: 'status';
}

/** How an object is deleted (`metav1.DeleteOptions`). `uid` and `resourceVersion` are preconditions. */
export interface DeleteOptions extends CallOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** A call by path, for discovery and kinds known only at run time. `path` begins with `/`. */
export interface RawRequest extends CallOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
}

/**
 * One API server, as a client.
 *
 * *Guarantees*: one pooled set of keep-alive connections; a deadline and an abort on every call; 429 and 5xx are retried
 * with `Retry-After` or backoff while the deadline allows (a create or patch only where the server said that it did
 * nothing: 429, or 503 with `Retry-After`); a refusal is an `ApiError`, anything else a `Fault('internal')`.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: ResourceType<T>, ref: ObjectRef, options?: CallOptions): Promise<T>;
  list<T extends KubeObject>(resource: ResourceType<T>, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(resource: ResourceType<T>, object: T, options?: CallOptions): Promise<T>;
  /** Replaces the object; its `metadata.resourceVersion` makes it conditional. */
  update<T extends KubeObject>(resource: ResourceType<T>, object: T, options?: CallOptions): Promise<T>;
  patch<T extends KubeObject>(resource: ResourceType<T>, ref: ObjectRef, patch: PatchBody & CallOptions): Promise<T>;
  delete<T extends KubeObject>(resource: ResourceType<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** Deletes every object that bears the labels; one that selects nothing in particular is refused. */
  deleteLabelled<T extends KubeObject>(
    resource: ResourceType<T>,
    selection: { readonly namespace: string; readonly labelSelector: string },
    options?: CallOptions,
  ): Promise<void>;
  /**
   * The events until the server ends the watch. A refusal is thrown as `ApiError`, a broken connection as
   * `Fault('internal')`, an abort as the signal's reason. Nothing is retried here.
   */
  watch<T extends KubeObject>(resource: ResourceType<T>, options: WatchOptions): AsyncIterable<WatchEvent<T>>;
  /** A call by path; the answer's JSON as it came. */
  raw(request: RawRequest): Promise<unknown>;
  /** Closes the connections. Calls in flight fail. */
  close(): void;
}
