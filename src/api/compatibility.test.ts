// That every object and every status accepted by the first generation of these CRDs is accepted by ours: each of its
// fields is there under its name, with its type, and required where it was. What is more is named here too.
import { expect, test } from 'vitest';
import type { CustomKind } from './custom-kind.ts';
import { toStructuralSchema } from './crd.ts';
import type { StructuralSchema } from './structural.ts';
import { gitOpsDeploymentManagedEnvironmentKind } from './v1alpha1/gitops-deployment-managed-environment.ts';
import { gitOpsDeploymentRepositoryCredentialKind } from './v1alpha1/gitops-deployment-repository-credential.ts';
import { gitOpsDeploymentSyncRunKind } from './v1alpha1/gitops-deployment-sync-run.ts';
import { gitOpsDeploymentKind } from './v1alpha1/gitops-deployment.ts';
import { operationKind } from './v1alpha1/operation.ts';

// One field a line: `path type`; `!` after the type: required; `[]` the items of a list, `{}` the values of a map.
const source = (path: string): string => `
  ${path}.path string!
  ${path}.repoURL string!
  ${path}.targetRevision string`;

const operationState = `
  status.operationState object
  status.operationState.operation object!
  status.operationState.operation.sync object
  status.operationState.operation.sync.revision string
  status.operationState.operation.sync.prune boolean
  status.operationState.operation.sync.dryRun boolean
  status.operationState.operation.sync.syncStrategy object
  status.operationState.operation.sync.syncStrategy.apply object
  status.operationState.operation.sync.syncStrategy.apply.force boolean
  status.operationState.operation.sync.syncStrategy.hook object
  status.operationState.operation.sync.syncStrategy.hook.force boolean
  status.operationState.operation.sync.resources array
  status.operationState.operation.sync.resources[] object
  status.operationState.operation.sync.resources[].group string
  status.operationState.operation.sync.resources[].kind string!
  status.operationState.operation.sync.resources[].name string!
  status.operationState.operation.sync.resources[].namespace string
  status.operationState.operation.sync.source object
  ${source('status.operationState.operation.sync.source')}
  status.operationState.operation.sync.manifests array
  status.operationState.operation.sync.manifests[] string
  status.operationState.operation.sync.syncOptions array
  status.operationState.operation.sync.syncOptions[] string
  status.operationState.operation.sync.sources array
  status.operationState.operation.sync.sources[] object
  ${source('status.operationState.operation.sync.sources[]')}
  status.operationState.operation.sync.revisions array
  status.operationState.operation.sync.revisions[] string
  status.operationState.operation.initiatedBy object
  status.operationState.operation.initiatedBy.username string
  status.operationState.operation.initiatedBy.automated boolean
  status.operationState.operation.info array
  status.operationState.operation.info[] object
  status.operationState.operation.info[].name string
  status.operationState.operation.info[].value string
  status.operationState.operation.retry object
  status.operationState.operation.retry.limit integer/int64
  status.operationState.operation.retry.backoff object
  status.operationState.operation.retry.backoff.duration string
  status.operationState.operation.retry.backoff.factor integer/int64
  status.operationState.operation.retry.backoff.maxDuration string
  status.operationState.phase string!
  status.operationState.message string
  status.operationState.syncResult object
  status.operationState.syncResult.resources array
  status.operationState.syncResult.resources[] object
  status.operationState.syncResult.resources[].group string!
  status.operationState.syncResult.resources[].version string!
  status.operationState.syncResult.resources[].kind string!
  status.operationState.syncResult.resources[].namespace string!
  status.operationState.syncResult.resources[].name string!
  status.operationState.syncResult.resources[].status string
  status.operationState.syncResult.resources[].message string
  status.operationState.syncResult.resources[].hookType string
  status.operationState.syncResult.resources[].hookPhase string
  status.operationState.syncResult.resources[].syncPhase string
  status.operationState.syncResult.revision string!
  status.operationState.syncResult.source object
  ${source('status.operationState.syncResult.source')}
  status.operationState.syncResult.sources array
  status.operationState.syncResult.sources[] object
  ${source('status.operationState.syncResult.sources[]')}
  status.operationState.syncResult.revisions array
  status.operationState.syncResult.revisions[] string
  status.operationState.syncResult.managedNamespaceMetadata object
  status.operationState.syncResult.managedNamespaceMetadata.labels object
  status.operationState.syncResult.managedNamespaceMetadata.labels{} string
  status.operationState.syncResult.managedNamespaceMetadata.annotations object
  status.operationState.syncResult.managedNamespaceMetadata.annotations{} string
  status.operationState.startedAt string/date-time!
  status.operationState.finishedAt string/date-time
  status.operationState.retryCount integer/int64`;

const deployment = `
  spec object
  spec.source object!
  spec.source.repoURL string!
  spec.source.path string!
  spec.source.targetRevision string
  spec.destination object
  spec.destination.environment string
  spec.destination.namespace string
  spec.syncPolicy object
  spec.syncPolicy.syncOptions array
  spec.syncPolicy.syncOptions[] string
  spec.type string!
  status object
  status.conditions array
  status.conditions[] object
  status.conditions[].type string!
  status.conditions[].status string!
  status.conditions[].message string
  status.conditions[].reason string
  status.conditions[].lastProbeTime string/date-time
  status.conditions[].lastTransitionTime string/date-time
  status.sync object
  status.sync.status string!
  status.sync.revision string
  status.health object
  status.health.status string
  status.health.message string
  status.resources array
  status.resources[] object
  status.resources[].group string
  status.resources[].version string
  status.resources[].kind string
  status.resources[].namespace string
  status.resources[].name string
  status.resources[].status string
  status.resources[].health object
  status.resources[].health.status string
  status.resources[].health.message string
  status.reconciledState object!
  status.reconciledState.source object!
  status.reconciledState.source.path string!
  status.reconciledState.source.repoURL string!
  status.reconciledState.source.branch string!
  status.reconciledState.destination object!
  status.reconciledState.destination.name string!
  status.reconciledState.destination.namespace string!
  ${operationState}`;

const syncRun = `
  spec object
  spec.gitopsDeploymentName string!
  spec.revisionID string
  status object
  status.conditions array
  status.conditions[] object
  status.conditions[].type string!
  status.conditions[].message string!
  status.conditions[].status string!
  status.conditions[].reason string!
  status.conditions[].lastTransitionTime string/date-time`;

const standardConditions = `
  status object
  status.conditions array
  status.conditions[] object
  status.conditions[].type string!
  status.conditions[].message string!
  status.conditions[].status string!
  status.conditions[].reason string!
  status.conditions[].lastTransitionTime string/date-time!
  status.conditions[].observedGeneration integer/int64`;

const managedEnvironment = `
  spec object
  spec.apiURL string!
  spec.credentialsSecret string!
  spec.allowInsecureSkipTLSVerify boolean!
  spec.createNewServiceAccount boolean
  spec.namespaces array
  spec.namespaces[] string
  spec.clusterResources boolean
  ${standardConditions}`;

const repositoryCredential = `
  spec object
  spec.repository string!
  spec.secret string!
  ${standardConditions}`;

const operation = `
  spec object
  spec.operationID string
  status object`;

const everyKind = `
  apiVersion string
  kind string
  metadata object`;

const linesOf = (table: string): string[] =>
  table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

const fieldLines = (schema: StructuralSchema, path = ''): string[] => [
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const childPath = path === '' ? name : `${path}.${name}`;
    return [lineOf(childPath, child, schema.required?.includes(name) === true), ...fieldLines(child, childPath)];
  }),
  ...[[schema.items, `${path}[]`] as const, [schema.additionalProperties, `${path}{}`] as const].flatMap(
    ([child, childPath]) => (child ? [lineOf(childPath, child, false), ...fieldLines(child, childPath)] : []),
  ),
];

const lineOf = (path: string, schema: StructuralSchema, required: boolean): string =>
  `${path} ${schema.type}${schema.format ? `/${schema.format}` : ''}${required ? '!' : ''}`;

const LIMITS = ['enum', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength', 'default'] as const;

const limitedPaths = (schema: StructuralSchema, path = ''): string[] => [
  ...(LIMITS.some((limit) => limit in schema) ? [path] : []),
  ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => limitedPaths(child, `${path}.${name}`)),
  ...(schema.items ? limitedPaths(schema.items, `${path}[]`) : []),
];

/** What we added to the conditions. */
const generationLine = 'status.conditions[].observedGeneration integer/int64';

const kinds: readonly [string, CustomKind, string, readonly string[]][] = [
  ['GitOpsDeployment', gitOpsDeploymentKind, deployment, [generationLine]],
  ['GitOpsDeploymentSyncRun', gitOpsDeploymentSyncRunKind, syncRun, [generationLine]],
  ['GitOpsDeploymentManagedEnvironment', gitOpsDeploymentManagedEnvironmentKind, managedEnvironment, []],
  ['GitOpsDeploymentRepositoryCredential', gitOpsDeploymentRepositoryCredentialKind, repositoryCredential, []],
  ['Operation', operationKind, operation, []],
];

test.each(kinds)('%s has every field it ever had, under its name, with its type, required as it was', (...row) => {
  const [, kind, original, added] = row;
  const ours = fieldLines(toStructuralSchema(kind.schema));
  expect(ours.toSorted()).toEqual([...linesOf(everyKind), ...linesOf(original), ...added].toSorted());
});

test.each(kinds)('%s limits no value that was free', (_name, kind) => {
  const standard = ['lastTransitionTime', 'message', 'observedGeneration', 'reason', 'status', 'type'];
  const limited = limitedPaths(toStructuralSchema(kind.schema));
  const allowed = kind === gitOpsDeploymentManagedEnvironmentKind || kind === gitOpsDeploymentRepositoryCredentialKind;
  const permitted = allowed ? standard.map((field) => `.status.conditions[].${field}`) : [];
  expect(limited.filter((path) => !permitted.includes(path))).toEqual([]);
});

test('the columns that scripts know come first and unchanged', () => {
  expect(gitOpsDeploymentKind.columns.slice(0, 2)).toMatchObject([
    { name: 'Sync Status', type: 'string', jsonPath: '.status.sync.status' },
    { name: 'Health Status', type: 'string', jsonPath: '.status.health.status' },
  ]);
});
