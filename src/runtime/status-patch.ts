// Writes a status only where it differs from what the server has, and can have.
import type { KubeClient } from '../kube/client.ts';
import { isRecord } from '../kube/json.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { mergePatch } from '../kube/patch.ts';
import type { Logger } from '../lib/log.ts';

/** Writes the status of objects of one kind. */
export interface StatusPatcher<T extends KubeObject> {
  /**
   * Makes `status` the whole status of `current`, by one merge patch on condition of its `resourceVersion`. Returns the
   * object as the server then has it, to go on from; or 'unchanged' where there was nothing to write.
   *
   * *Caveat*: what the server's schema doesn't have, the server drops without a word. Such a field is found missing in
   * the answer, logged once, and left out from then on, so that it isn't written again with each pass. A schema that
   * gains the field is noticed by the next process only.
   * @throws ApiError; a conflict means that `current` is not the present object: look again.
   */
  patch(current: T, status: object, options?: { readonly signal?: AbortSignal }): Promise<'unchanged' | T>;
}

/** Fields by path; the items of a list share one path, whose step is `*`. */
type Path = readonly string[];

/** Creates the patcher of one kind. It remembers the fields that the server's schema lacks. */
export const createStatusPatcher = <T extends KubeObject>(options: {
  readonly client: KubeClient;
  readonly resource: ResourceType<T>;
  readonly log: Logger;
}): StatusPatcher<T> => {
  const { client, resource, log } = options;
  const dropped = new Set<string>();
  const remember = (path: Path): void => {
    const key = keyOf(path);
    if (dropped.has(key)) return;
    dropped.add(key);
    const fields = { resource: resource.plural, field: path.join('.').replaceAll('.*', '[]') };
    log.warn("the server's schema lacks a field of the status; it is left out from now on", fields);
  };
  return {
    async patch(current, status, callOptions = {}) {
      const wanted = project(status, [], dropped);
      const { namespace, name, resourceVersion } = current.metadata;
      const change = mergePatch(statusOf(current) ?? {}, wanted);
      if (change === undefined) return 'unchanged';
      const answer = await client.patch(resource, namespace === undefined ? { name } : { namespace, name }, {
        type: 'merge',
        subresource: 'status',
        body: { metadata: { resourceVersion }, status: change },
        ...callOptions,
      });
      for (const path of missing(wanted, statusOf(answer) ?? {}, [])) remember(path);
      return answer;
    },
  };
};

const keyOf = (path: Path): string => JSON.stringify(path);

const statusOf = (object: KubeObject): unknown => ('status' in object ? object.status : undefined);

/** `value` without the fields at the dropped paths. */
const project = (value: unknown, at: Path, dropped: ReadonlySet<string>): unknown => {
  if (dropped.size === 0) return value;
  if (Array.isArray(value)) return value.map((item) => project(item, [...at, '*'], dropped));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([name]) => !dropped.has(keyOf([...at, name])));
  return Object.fromEntries(kept.map(([name, member]) => [name, project(member, [...at, name], dropped)]));
};

/** The paths of fields that `sent` has and `got` lacks, where `got` has what they stand in. */
const missing = (sent: unknown, got: unknown, at: Path): Path[] => {
  if (Array.isArray(sent) && Array.isArray(got)) {
    return sent.length === got.length ? sent.flatMap((item, nth) => missing(item, got[nth], [...at, '*'])) : [];
  }
  if (!isRecord(sent) || !isRecord(got)) return [];
  return Object.entries(sent).flatMap(([name, member]) => {
    if (member === undefined || member === null) return [];
    return name in got ? missing(member, got[name], [...at, name]) : [[...at, name]];
  });
};
