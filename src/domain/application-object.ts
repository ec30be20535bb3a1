// Argo CD's Application object as a row asks for it, and how a present one differs. Pure.
import type { Application, ApplicationSpec } from '../api/argocd/application.ts';
import { databaseIdLabel } from '../api/labels.ts';
import { sameApplication, type DesiredApplication } from './spec-field.ts';

/** The object to create for a row. */
export const newApplication = (applicationId: string, desired: DesiredApplication): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: desired.name, namespace: desired.namespace, labels: { [databaseIdLabel]: applicationId } },
  spec: applicationSpec(desired),
});

/** The four fields of the spec that rows decide; the rest of a present spec is left alone. */
export const applicationSpec = ({ source, destination, project, syncPolicy }: DesiredApplication): ApplicationSpec => ({
  project,
  source: {
    repoURL: source.repoURL,
    path: source.path,
    ...(source.targetRevision && { targetRevision: source.targetRevision }),
  },
  destination: {
    ...(destination.server && { server: destination.server }),
    ...(destination.namespace && { namespace: destination.namespace }),
    ...(destination.name && { name: destination.name }),
  },
  ...(syncPolicy && {
    syncPolicy: {
      ...(syncPolicy.automated && { automated: { ...syncPolicy.automated } }),
      ...(syncPolicy.syncOptions.length > 0 && { syncOptions: [...syncPolicy.syncOptions] }),
      ...(syncPolicy.retry && {
        retry: {
          limit: syncPolicy.retry.limit,
          ...(syncPolicy.retry.backoff && { backoff: { ...syncPolicy.retry.backoff } }),
        },
      }),
    },
  }),
});

/** How a present Application differs from its row. */
export interface ApplicationDifference {
  /** In one of the four fields that rows decide. */
  readonly spec: boolean;
  /** Where it comes from or goes to: a running sync is of no use any more. */
  readonly target: boolean;
  readonly label: boolean;
}

/** Compares a present Application with its row, by meaning. */
export const compareApplication = (
  present: Application,
  applicationId: string,
  desired: DesiredApplication,
): ApplicationDifference => {
  const read = readSpec(present);
  const sameTarget = sameApplication({ ...read, project: desired.project, syncPolicy: desired.syncPolicy }, desired);
  return {
    target: !sameTarget,
    spec: !sameApplication(read, desired),
    label: present.metadata.labels?.[databaseIdLabel] !== applicationId,
  };
};

const readSpec = ({ metadata, spec }: Application): DesiredApplication => ({
  name: metadata.name,
  namespace: metadata.namespace ?? '',
  project: spec.project,
  source: {
    repoURL: spec.source?.repoURL ?? '',
    path: spec.source?.path ?? '',
    targetRevision: spec.source?.targetRevision ?? '',
  },
  destination: {
    server: spec.destination.server ?? '',
    namespace: spec.destination.namespace ?? '',
    name: spec.destination.name ?? '',
  },
  syncPolicy: spec.syncPolicy && {
    automated: spec.syncPolicy.automated && {
      prune: spec.syncPolicy.automated.prune ?? false,
      selfHeal: spec.syncPolicy.automated.selfHeal ?? false,
      allowEmpty: spec.syncPolicy.automated.allowEmpty ?? false,
    },
    syncOptions: spec.syncPolicy.syncOptions ?? [],
    retry: spec.syncPolicy.retry && {
      limit: spec.syncPolicy.retry.limit ?? 0,
      backoff: spec.syncPolicy.retry.backoff && {
        duration: spec.syncPolicy.retry.backoff.duration ?? '',
        factor: spec.syncPolicy.retry.backoff.factor ?? 0,
        maxDuration: spec.syncPolicy.retry.backoff.maxDuration ?? '',
      },
    },
  },
});
