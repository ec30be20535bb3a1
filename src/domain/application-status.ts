// The bytes in `applicationstate.argocd_application_status`: an Application's status, gzip of YAML, as both halves read it.
import { createHash } from 'node:crypto';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { inCluster, managedEnvironmentIdOf } from '../api/labels.ts';
import type { ApplicationStatus } from '../api/argocd/application.ts';
import { toGoYaml } from '../lib/go-yaml-text.ts';
import { parseYamlScalarsAsText } from '../lib/yaml.ts';
import { goFlag, goInteger, goList, goMap, goPointer, goStruct, goText, goTime, type GoYaml } from './go-yaml.ts';

type Read<G> = G extends GoYaml<infer T> ? T : never;

const source = goStruct({ repoURL: goText, path: goText, targetRevision: goText });
const destination = goStruct({ server: goText, namespace: goText, name: goText });
const health = goStruct({ status: goText, message: goText });
// Go nests an embedded struct under its own name.
const hookStrategy = goPointer(goStruct({ syncStrategyApply: goStruct({ force: goFlag }) }));
const retry = goStruct({
  limit: goInteger,
  backoff: goPointer(goStruct({ duration: goText, factor: goPointer(goInteger), maxDuration: goText })),
});
const sync = goStruct({
  revision: goText,
  prune: goFlag,
  dryRun: goFlag,
  syncStrategy: goPointer(goStruct({ apply: goPointer(goStruct({ force: goFlag })), hook: hookStrategy })),
  resources: goList(goStruct({ group: goText, kind: goText, name: goText, namespace: goText })),
  source: goPointer(source),
  manifests: goList(goText),
  syncOptions: goList(goText),
  sources: goList(source),
  revisions: goList(goText),
});
const resourceResult = goStruct({
  group: goText,
  version: goText,
  kind: goText,
  namespace: goText,
  name: goText,
  status: goText,
  message: goText,
  hookType: goText,
  hookPhase: goText,
  syncPhase: goText,
});
const syncResult = goStruct({
  resources: goList(resourceResult),
  revision: goText,
  source,
  sources: goList(source),
  revisions: goList(goText),
  managedNamespaceMetadata: goPointer(goStruct({ labels: goMap, annotations: goMap })),
});
const operationState = goStruct({
  operation: goStruct({
    sync: goPointer(sync),
    initiatedBy: goStruct({ username: goText, automated: goFlag }),
    info: goList(goStruct({ name: goText, value: goText })),
    retry,
  }),
  phase: goText,
  message: goText,
  syncResult: goPointer(syncResult),
  startedAt: goTime,
  finishedAt: goTime,
  retryCount: goInteger,
});
const status = goStruct({
  resources: goList(
    goStruct({
      group: goText,
      version: goText,
      kind: goText,
      namespace: goText,
      name: goText,
      status: goText,
      health: goPointer(health),
    }),
  ),
  sync: goStruct({
    status: goText,
    comparedTo: goStruct({ source, destination }),
    revision: goText,
    revisions: goList(goText),
  }),
  health,
  conditions: goList(goStruct({ type: goText, message: goText, lastTransitionTime: goTime })),
  operationState: goPointer(operationState),
});

/** An Application's status as the rows hold it. Absent texts are ''. */
export type StoredStatus = Read<typeof status>;
/** The last or running sync in it. */
export type StoredOperationState = Read<typeof operationState>;

/** Most bytes that a stored status may have; the original refuses more. */
export const MAX_STORED_BYTES = 262_144;
/** Most bytes that a stored status may unpack to: a small row must not fill the memory. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/** The status of a row whose Application has not been seen yet. */
export const emptyStatus = (): StoredStatus => status.read(undefined);

/**
 * What is stored of an Application's status: the bytes, and a hash over the fields that anybody reads, so that a
 * comparison that found nothing new (`reconciledAt`) writes nothing. A status that does not fit loses the list of
 * resources, first of the last sync, then its own.
 */
export const writeStatus = (from: ApplicationStatus | undefined): { bytes: Buffer; hash: string } => {
  const full = withoutClusterName(status.read(lowerCased(from)));
  const state = full.operationState;
  const withoutResults: StoredStatus = {
    ...full,
    operationState: state && { ...state, syncResult: state.syncResult && { ...state.syncResult, resources: [] } },
  };
  for (const attempt of [full, withoutResults]) {
    const stored = pack(attempt);
    if (stored.bytes.length <= MAX_STORED_BYTES) return stored;
  }
  return pack({ ...withoutResults, resources: [] });
};

const pack = (value: StoredStatus): { bytes: Buffer; hash: string } => {
  const text = toGoYaml(status.write(value));
  const bytes = gzipSync(text, { level: constants.Z_BEST_SPEED });
  return { bytes, hash: createHash('sha256').update(text).digest('hex') };
};

/**
 * The status in a row, whoever wrote it; null (never reported) is an empty one.
 * @throws Error from zlib, or Fault('user', 'InvalidYaml'), when the bytes are damaged.
 */
export const readStatus = (bytes: Buffer | null): StoredStatus =>
  bytes === null
    ? emptyStatus()
    : status.read(parseYamlScalarsAsText(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }).toString('utf8')));

/** Rows name a managed environment by its id, not by the name of its cluster Secret. */
const withoutClusterName = (full: StoredStatus): StoredStatus => {
  const { comparedTo } = full.sync;
  const { name } = comparedTo.destination;
  const id = name === inCluster ? undefined : managedEnvironmentIdOf(name);
  if (id === undefined) return full;
  const named = { ...comparedTo, destination: { ...comparedTo.destination, name: id } };
  return { ...full, sync: { ...full.sync, comparedTo: named } };
};

/** Deeper than anything that is read of a status. */
const MAX_DEPTH = 16;

/** JSON with lower-cased keys, as the YAML has them; keys of label and annotation maps stay. */
const lowerCased = (value: unknown, key = '', depth = 0): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === MAX_DEPTH) return undefined;
  if (Array.isArray(value)) return value.map((item) => lowerCased(item, '', depth + 1));
  if (key === 'labels' || key === 'annotations') return value;
  const entries = Object.entries(value).map(([name, one]) => [name.toLowerCase(), lowerCased(one, name, depth + 1)]);
  const map = Object.fromEntries(entries) as Record<string, unknown>; // made right here
  return key === 'hook' && 'force' in map ? { ...map, syncstrategyapply: { force: map['force'] } } : map;
};
