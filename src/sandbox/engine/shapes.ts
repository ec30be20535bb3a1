// Names for the parts of Argo CD's Application that the engine works with, and the values it writes into them.
import type { Application, ApplicationSource, ApplicationStatus } from '../../api/argocd/application.ts';

/** A requested sync: the Application's `operation`. */
export type Operation = NonNullable<Application['operation']>;
/** What and how a requested sync syncs. */
export type SyncOrder = NonNullable<Operation['sync']>;
/** `status.operationState`: the sync that runs, or the last one. */
export type OperationState = NonNullable<ApplicationStatus['operationState']>;
/** How a failed sync is tried again. */
export type Retry = NonNullable<Operation['retry']>;
/** What a sync did with one object. */
export type SyncedResource = NonNullable<NonNullable<OperationState['syncResult']>['resources']>[number];
/** One line of `status.resources`. */
export type ResourceStatus = NonNullable<ApplicationStatus['resources']>[number];
/** One of `status.conditions`. */
export type Condition = NonNullable<ApplicationStatus['conditions']>[number];
/** Where an Application's resources go. */
export type Destination = Application['spec']['destination'];
export type { Application, ApplicationSource, ApplicationStatus };

/** `status.sync.status`. */
export type SyncCode = 'Synced' | 'OutOfSync' | 'Unknown';
/** `status.health.status`, from best to worst. */
export type HealthCode = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';

/** The health of one object. */
export interface Health {
  readonly status: HealthCode;
  readonly message?: string;
}

/** Group and kind: what project rules and health rules go by. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** The group of an apiVersion, '' for the core group. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
/** The version of an apiVersion. */
export const versionOf = (apiVersion: string): string => apiVersion.split('/').at(-1) ?? '';
