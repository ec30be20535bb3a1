// GitOpsDeploymentSyncRun: sync one manual deployment once; deleting it while it runs ends the sync.
import type { z } from 'zod';
import { errorOccurred } from '../conditions.ts';
import { ageColumn, objectSchema, type CustomKind } from '../custom-kind.ts';
import { int64, list, object, text, time } from '../fields.ts';
import type { ApiObject } from '../metadata.ts';
import type { ApiResource } from '../resource.ts';
import { ownResource } from './group.ts';

const specSchema = object('What is synced. Neither field can be changed later.', {
  gitopsDeploymentName: text('Name of the GitOpsDeployment to sync, in this namespace; its type must be `manual`.'),
  revisionID: text(
    'Commit, tag or branch to sync to. Empty means the target revision of the GitOpsDeployment.',
  ).optional(),
});

const statusSchema = object('How the order for the sync stands. Written by the service only.', {
  conditions: list(
    'What is known about the sync run, one entry for each aspect.',
    object('What is known about one aspect of the sync run.', {
      type: text(
        'The aspect: `ErrorOccurred` says whether the sync could be ordered and done; `Ready`, `Reconciling` and `Stalled` whether it is done, under way, or needs somebody.',
      ),
      message: text('The state in words, with what to do about it; may be empty.'),
      status: text('Whether it holds: `True`, `False` or `Unknown`.'),
      reason: text('The cause in one CamelCase word; empty when there is no error.'),
      lastTransitionTime: time('When the condition last changed, UTC.').optional(),
      observedGeneration: int64('The `metadata.generation` that the condition was made from.').optional(),
    }),
  ).optional(),
});

/** Sync this deployment once, to this revision. */
export interface GitOpsDeploymentSyncRun extends ApiObject {
  spec?: z.infer<typeof specSchema>;
  status?: z.infer<typeof statusSchema>;
}

/** Of one condition of a GitOpsDeploymentSyncRun. */
export type GitOpsDeploymentSyncRunCondition = NonNullable<z.infer<typeof statusSchema>['conditions']>[number];

/** The spec with '' for what is left out. */
export const syncRunSpec = ({
  spec,
}: GitOpsDeploymentSyncRun): { readonly gitopsDeploymentName: string; readonly revisionID: string } => ({
  gitopsDeploymentName: spec?.gitopsDeploymentName ?? '',
  revisionID: spec?.revisionID ?? '',
});

/** Addresses GitOpsDeploymentSyncRuns. */
export const gitOpsDeploymentSyncRuns: ApiResource<GitOpsDeploymentSyncRun> = ownResource('GitOpsDeploymentSyncRun');

const pathOf = (type: string, field: string): string => `.status.conditions[?(@.type=="${type}")].${field}`;

/** GitOpsDeploymentSyncRun as a custom resource. */
export const gitOpsDeploymentSyncRunKind: CustomKind = {
  resource: gitOpsDeploymentSyncRuns,
  schema: objectSchema('Syncs a manual GitOpsDeployment once. Deleting it while the sync runs ends the sync.', {
    spec: specSchema.optional(),
    status: statusSchema.optional(),
  }),
  statusSubresource: true,
  keepsUnknownFields: false,
  columns: [
    {
      name: 'Deployment',
      type: 'string',
      description: 'The GitOpsDeployment that is synced.',
      jsonPath: '.spec.gitopsDeploymentName',
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'The revision that was asked for.',
      jsonPath: '.spec.revisionID',
    },
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether the sync is done.',
      jsonPath: pathOf('Ready', 'status'),
    },
    {
      name: 'Error',
      type: 'string',
      description: 'Whether the sync could not be ordered, or failed.',
      jsonPath: pathOf(errorOccurred, 'status'),
    },
    {
      name: 'Message',
      type: 'string',
      description: 'What is to be known about the sync, in words.',
      jsonPath: pathOf('Ready', 'message'),
      priority: 1,
    },
    ageColumn,
  ],
};
