// GitOpsDeployment: deploy this path of this Git repository to this environment.
import type { z } from 'zod';
import { operationStateSchema } from '../argocd/operation.ts';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { int64, list, object, text, time } from '../fields.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { ownResource } from './group.ts';

const specSchema = object('What is deployed where, as the team wants it.', {
  source: object('Where the manifests are.', {
    repoURL: text('URL of the Git repository, `https://…` or `ssh://…`, or of a Helm repository.'),
    path: text('Folder in the repository that holds the manifests. Neither empty nor `/`.'),
    targetRevision: text('Branch, tag or commit to deploy. Empty means the default branch (`HEAD`).').optional(),
  }),
  destination: object('Where the manifests go. Without it: the namespace of this object, on the cluster it lives in.', {
    environment: text(
      'Name of a GitOpsDeploymentManagedEnvironment in this namespace. Empty means the cluster this object lives in.',
    ).optional(),
    namespace: text(
      'Namespace for manifests that name none. Needed with `environment`; without one it stays empty, which means the namespace of this object.',
    ).optional(),
  }).optional(),
  syncPolicy: object('How syncs are made.', {
    syncOptions: list(
      'Options of every sync: `CreateNamespace=true` or `CreateNamespace=false`.',
      text('One option, as `Name=value`.'),
    ).optional(),
  }).optional(),
  type: text(
    '`automated`: every change of the repository or the cluster is synced at once. `manual`: only a GitOpsDeploymentSyncRun syncs.',
  ),
});

const conditionSchema = object('What is known about one aspect of the deployment.', {
  type: text('The aspect: `Ready`, `Reconciling`, `Stalled`, `ErrorOccurred`, `SyncError`, or a condition of Argo CD.'),
  status: text('Whether it holds: `True`, `False` or `Unknown`.'),
  reason: text('The cause in one CamelCase word, for programs.').optional(),
  message: text('The cause in words, with what to do about it.').optional(),
  lastProbeTime: time('When the condition was last written, UTC; changes with the condition only.').optional(),
  lastTransitionTime: time('When the condition last changed, UTC.').optional(),
  observedGeneration: int64('The `metadata.generation` that this condition was made from.').optional(),
});

const healthSchema = (description: string) =>
  object(description, {
    status: text('`Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.').optional(),
    message: text('Why it is so, in words.').optional(),
  });

const resourceSchema = object('The state of one deployed object.', {
  group: text('API group of the object; empty for the core group.').optional(),
  version: text('API version of the object.').optional(),
  kind: text('Kind of the object.').optional(),
  namespace: text('Namespace of the object; empty for cluster-scoped kinds.').optional(),
  name: text('Name of the object.').optional(),
  status: text('`Synced`, `OutOfSync` or `Unknown`.').optional(),
  health: healthSchema('Health of the object, where its kind has one.').optional(),
});

const operationSource = object('A source as it was synced.', {
  path: text('Folder in the repository.'),
  repoURL: text('URL of the repository.'),
  targetRevision: text('Branch, tag or commit that was asked for.').optional(),
});

const statusSchema = object('What is deployed, as last seen. Written by the service only.', {
  conditions: list('What is known about the deployment, one entry for each aspect.', conditionSchema).optional(),
  sync: object('Whether the cluster has what the repository says.', {
    status: text('`Synced`, `OutOfSync` or `Unknown`; empty until first compared.'),
    revision: text('Commit that the cluster was compared with.').optional(),
  }).optional(),
  health: healthSchema('Health of the deployment: the worst health among its objects.').optional(),
  resources: list('Every deployed object and its state.', resourceSchema).optional(),
  reconciledState: object('What the cluster was last compared with: the settings that have taken effect.', {
    source: object('The source that has taken effect.', {
      path: text('Folder in the repository.'),
      repoURL: text('URL of the repository.'),
      branch: text('Branch, tag or commit that was asked for.'),
    }),
    destination: object('The destination that has taken effect.', {
      name: text('Name of the GitOpsDeploymentManagedEnvironment; empty for the cluster this object lives in.'),
      namespace: text('Namespace for manifests that name none.'),
    }),
  }),
  operationState: operationStateSchema(operationSource).optional(),
});

/** `spec` of a GitOpsDeployment. */
export type GitOpsDeploymentSpec = z.infer<typeof specSchema>;
/** `status` of a GitOpsDeployment. */
export type GitOpsDeploymentStatus = z.infer<typeof statusSchema>;
/** One of its `status.conditions`; looser than `metav1.Condition`, and with a probe time. */
export type GitOpsDeploymentCondition = z.infer<typeof conditionSchema>;

/** Deploy this path of this Git repository to this environment. The schema lets `spec` be absent. */
export interface GitOpsDeployment extends ApiObject {
  spec?: GitOpsDeploymentSpec;
  status?: GitOpsDeploymentStatus;
}

/** Addresses GitOpsDeployments. */
export const gitOpsDeployments: ApiResource<GitOpsDeployment> = ownResource('GitOpsDeployment');

/** The spec, or one with empty fields where there is none: an absent spec is wrong in the same way an empty one is. */
export const deploymentSpec = (deployment: GitOpsDeployment): GitOpsDeploymentSpec =>
  deployment.spec ?? { source: { repoURL: '', path: '' }, type: '' };

const readyPath = (field: string): string => `.status.conditions[?(@.type=="Ready")].${field}`;

/** GitOpsDeployment as a custom resource. */
export const gitOpsDeploymentKind: CustomKind = {
  resource: gitOpsDeployments,
  schema: objectSchema(
    'Deploys a folder of a Git repository to an environment, and says in its status how that stands.',
    { spec: specSchema.optional(), status: statusSchema.optional() },
  ),
  statusSubresource: true,
  keepsUnknownFields: false,
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
      description: 'Health of the deployment.',
      jsonPath: '.status.health.status',
    },
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether the deployment is in sync and healthy.',
      jsonPath: readyPath('status'),
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'Commit that the cluster was compared with.',
      jsonPath: '.status.sync.revision',
      priority: 1,
    },
    {
      name: 'Message',
      type: 'string',
      description: 'What is to be known about readiness, in words.',
      jsonPath: readyPath('message'),
      priority: 1,
    },
    ageColumn,
  ],
};
