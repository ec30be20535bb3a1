// A sync as Argo CD describes it: the order (`operation`) and how it went (`operationState`). GitOpsDeployment's status
// mirrors it, with a narrower source; so both are functions of the source.
import type { z } from 'zod';
import { flag, int64, list, object, text, textMap, time } from '../fields.ts';

const resourceResult = object('How the sync of one object went.', {
  group: text('API group of the object; empty for the core group.'),
  version: text('API version of the object.'),
  kind: text('Kind of the object.'),
  namespace: text('Namespace of the object; empty for cluster-scoped kinds.'),
  name: text('Name of the object.'),
  status: text('Result: `Synced`, `SyncFailed`, `Pruned` or `PruneSkipped`.').optional(),
  message: text('What the cluster answered when the object was applied.').optional(),
  hookType: text(
    'For a hook, when it runs: `PreSync`, `Sync`, `PostSync`, `Skip` or `SyncFail`; absent for others.',
  ).optional(),
  hookPhase: text('For a hook, how far it is; for others, the result of applying the object.').optional(),
  syncPhase: text('Phase of the sync it belonged to: `PreSync`, `Sync`, `PostSync` or `SyncFail`.').optional(),
});

const retrySchema = object('Whether and how often a failed sync is tried again.', {
  limit: int64('Number of retries; negative means without end, 0 none.').optional(),
  backoff: object('How the wait between retries grows.', {
    duration: text('First wait, as a Go duration such as `5s`.').optional(),
    factor: int64('What the wait is multiplied with after each retry.').optional(),
    maxDuration: text('Longest wait, as a Go duration such as `3m`.').optional(),
  }).optional(),
}).optional();

const strategySchema = object('How objects are applied; without it Argo CD runs hooks.', {
  apply: object('Apply without hooks.', {
    force: flag('Delete and create again what cannot be changed in place.').optional(),
  }).optional(),
  hook: object('Apply and run hooks.', {
    force: flag('Delete and create again what cannot be changed in place.').optional(),
  }).optional(),
}).optional();

const syncSchema = <S extends z.ZodType>(source: S) =>
  object('What is synced, and how.', {
    revision: text('Commit, tag or branch to sync to; empty means the target revision of the source.').optional(),
    prune: flag('Whether objects that left the repository are deleted from the cluster.').optional(),
    dryRun: flag('Whether the sync only tells what it would do.').optional(),
    syncStrategy: strategySchema,
    resources: list(
      'The objects the sync is restricted to; empty means all.',
      object('One object to sync.', {
        group: text('API group of the object; empty for the core group.').optional(),
        kind: text('Kind of the object.'),
        name: text('Name of the object.'),
        namespace: text('Namespace of the object; empty for cluster-scoped kinds.').optional(),
      }),
    ).optional(),
    source: source.optional(),
    manifests: list(
      'Manifests to apply in place of those in the repository, each as YAML text.',
      text('One manifest.'),
    ).optional(),
    syncOptions: list(
      'Options of this sync, such as `CreateNamespace=true`.',
      text('One option, as `Name=value`.'),
    ).optional(),
    sources: list('Sources of this sync where there are several.', source).optional(),
    revisions: list('Revisions of `sources`, in the same order.', text('One revision.')).optional(),
  });

/** The order for a sync (`Application.operation`), for sources of the given schema. */
export const operationSchema = <S extends z.ZodType>(source: S) =>
  object('The sync that was ordered.', {
    sync: syncSchema(source).optional(),
    initiatedBy: object('Who ordered it.', {
      username: text('Name of the user, empty for an automated sync.').optional(),
      automated: flag('Whether automated sync ordered it.').optional(),
    }).optional(),
    info: list(
      'Notes that travel with the order.',
      object('One note.', {
        name: text('What the note is about.').optional(),
        value: text('The note.').optional(),
      }),
    ).optional(),
    retry: retrySchema,
  });

/** How the last sync went, or how far it is (`Application.status.operationState`). */
export const operationStateSchema = <S extends z.ZodType>(source: S) =>
  object('How the last sync went, or how far the running one is.', {
    operation: operationSchema(source),
    phase: text('`Running`, `Terminating`, `Failed`, `Error` or `Succeeded`.'),
    message: text('The state in words, with the error if there is one.').optional(),
    syncResult: object('What the sync did.', {
      resources: list('The result for each object.', resourceResult).optional(),
      revision: text('Commit that was synced to.'),
      source: source.optional(),
      sources: list('Sources that were synced where there are several.', source).optional(),
      revisions: list('Commits of `sources`, in the same order.', text('One commit.')).optional(),
      managedNamespaceMetadata: object('Metadata that Argo CD keeps on a namespace it created.', {
        labels: textMap('Labels of the namespace.').optional(),
        annotations: textMap('Annotations of the namespace.').optional(),
      }).optional(),
    }).optional(),
    startedAt: time('When the sync began, UTC.'),
    finishedAt: time('When the sync ended, UTC; absent while it runs.').optional(),
    retryCount: int64('How often the sync was tried again after a failure.').optional(),
  });

/** Retry of automated syncs, as in `spec.syncPolicy.retry`. */
export const syncRetrySchema = retrySchema;
