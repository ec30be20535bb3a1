// Argo CD's Application, as far as it is read or written here. Every other field passes through untouched.
import type { z } from 'zod';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { flag, int64, list, object, text, time } from '../fields.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { operationSchema, operationStateSchema, syncRetrySchema } from './operation.ts';

const sourceSchema = object('Where the manifests are.', {
  repoURL: text('URL of the repository.'),
  path: text('Folder in the repository.').optional(),
  targetRevision: text('Branch, tag or commit; empty means the default branch.').optional(),
  directory: object('How a folder of plain manifests is read.', {
    recurse: flag('Whether folders inside are read too.').optional(),
    include: text('Pattern of the files to read.').optional(),
    exclude: text('Pattern of the files to leave out.').optional(),
  }).optional(),
});

const destinationSchema = object('Where the manifests go.', {
  server: text('URL of the cluster; empty where `name` is given.').optional(),
  namespace: text('Namespace for manifests that name none.').optional(),
  name: text('Name of the cluster in Argo CD; `in-cluster` is its own.').optional(),
});

const syncPolicySchema = object('When and how syncs are made.', {
  automated: object('Sync by itself. Absent: only when ordered.', {
    prune: flag('Whether objects that left the repository are deleted.').optional(),
    selfHeal: flag('Whether changes made in the cluster are undone.').optional(),
    allowEmpty: flag('Whether pruning may delete the last object.').optional(),
  }).optional(),
  syncOptions: list('Options of every sync.', text('One option, as `Name=value`.')).optional(),
  retry: syncRetrySchema,
});

const specSchema = object('What is deployed where.', {
  project: text('Name of the AppProject that permits it.'),
  source: sourceSchema.optional(),
  destination: destinationSchema,
  syncPolicy: syncPolicySchema.optional(),
});

const healthSchema = object('Health as Argo CD sees it.', {
  status: text('`Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.').optional(),
  message: text('Why it is so, in words.').optional(),
});

const resourceSchema = object('The state of one deployed object.', {
  group: text('API group; empty for the core group.').optional(),
  version: text('API version.').optional(),
  kind: text('Kind.').optional(),
  namespace: text('Namespace; empty for cluster-scoped kinds.').optional(),
  name: text('Name.').optional(),
  status: text('`Synced`, `OutOfSync` or `Unknown`.').optional(),
  health: healthSchema.optional(),
  hook: flag('Whether it is a hook.').optional(),
  requiresPruning: flag('Whether it left the repository and is still there.').optional(),
});

const historySchema = object('One finished sync.', {
  id: int64('Number of the sync, counted up.'),
  revision: text('Commit that was synced to.').optional(),
  deployStartedAt: time('When the sync began, UTC.').optional(),
  deployedAt: time('When the sync ended, UTC.'),
  source: sourceSchema.optional(),
});

const statusSchema = object('What is deployed, as Argo CD last saw it.', {
  resources: list('Every deployed object.', resourceSchema).optional(),
  sync: object('Whether the cluster has what the repository says.', {
    status: text('`Synced`, `OutOfSync` or `Unknown`.'),
    comparedTo: object('The settings that the comparison was made with.', {
      source: sourceSchema.optional(),
      destination: destinationSchema,
    }).optional(),
    revision: text('Commit that the cluster was compared with.').optional(),
    revisions: list('The same, for several sources.', text('One commit.')).optional(),
  }).optional(),
  health: healthSchema.optional(),
  history: list('Finished syncs, the oldest first.', historySchema).optional(),
  conditions: list(
    'What is wrong, or worth a warning; a mended one is not in the list.',
    object('One error or warning.', {
      type: text('The aspect, such as `ComparisonError`.'),
      message: text('The error in words.'),
      lastTransitionTime: time('When it came up, UTC.').optional(),
    }),
  ).optional(),
  reconciledAt: time('When Argo CD last compared, UTC.').optional(),
  operationState: operationStateSchema(sourceSchema).optional(),
  observedAt: time('When Argo CD last looked, UTC; no longer written by present versions.').optional(),
  sourceType: text('`Directory`, `Kustomize`, `Helm` or `Plugin`.').optional(),
  summary: object('What the deployed objects tell about themselves.', {
    externalURLs: list('URLs that lead to the application.', text('One URL.')).optional(),
    images: list('Container images in use.', text('One image.')).optional(),
  }).optional(),
});

/** Where an Application's manifests are. */
export type ApplicationSource = z.infer<typeof sourceSchema>;
/** `spec` of an Application. */
export type ApplicationSpec = z.infer<typeof specSchema>;
/** `status` of an Application. */
export type ApplicationStatus = z.infer<typeof statusSchema>;

const orderSchema = operationSchema(sourceSchema);

/** What Argo CD deploys. `operation` is a sync that was ordered and not yet finished. */
export interface Application extends ApiObject {
  spec: ApplicationSpec;
  status?: ApplicationStatus;
  operation?: z.infer<typeof orderSchema>;
}

/** Addresses Applications. */
export const applications: ApiResource<Application> = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  plural: 'applications',
  kind: 'Application',
  namespaced: true,
};

/** Application as a custom resource: for a cluster without Argo CD. Like Argo CD's it has no status subresource. */
export const applicationKind: CustomKind = {
  resource: applications,
  schema: objectSchema('What Argo CD deploys.', {
    spec: specSchema,
    status: statusSchema.optional(),
    operation: orderSchema.optional(),
  }),
  statusSubresource: false,
  keepsUnknownFields: true,
  columns: [
    {
      name: 'Sync Status',
      type: 'string',
      description: 'Whether the cluster has what the repository says.',
      jsonPath: '.status.sync.status',
    },
    {
      name: 'Health Status',
      type: 'string',
      description: 'Health of the application.',
      jsonPath: '.status.health.status',
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'Commit that the cluster was compared with.',
      jsonPath: '.status.sync.revision',
      priority: 1,
    },
    ageColumn,
  ],
};
