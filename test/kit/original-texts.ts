// The texts that the original's processes keep in rows, as their emitter writes them: Go structs without tags, lower-cased
// names, plain scalars, nothing left out.
import { gzipSync } from 'node:zlib';
import type { Application } from '../../src/api/argocd/application.ts';

/** An Application as the original's agent makes it. */
export type OriginalApplication = Application & { spec: { source: { repoURL: string; path: string } } };

/** Go's emitter quotes what would otherwise not read back as a text. */
const scalar = (text: string | undefined): string => (text === undefined || text === '' ? '""' : text);

const indented = (lines: readonly string[], by: string): string => lines.map((line) => `${by}${line}\n`).join('');

const sourceLines = ({ source }: OriginalApplication['spec']): string[] => [
  `repourl: ${scalar(source.repoURL)}`,
  `path: ${scalar(source.path)}`,
  `targetrevision: ${scalar(source.targetRevision)}`,
];

const destinationLines = (destination: Application['spec']['destination'], name = destination.name): string[] => [
  `server: ""`,
  `namespace: ${scalar(destination.namespace)}`,
  `name: ${scalar(name)}`,
];

const syncPolicy = ({ syncPolicy: policy }: Application['spec']): string => {
  if (!policy) return '  syncpolicy: null\n';
  const options = indented(
    (policy.syncOptions ?? []).map((option) => `- ${option}`),
    '    ',
  );
  return `  syncpolicy:
    automated:
      prune: true
      selfheal: true
      allowempty: true
    syncoptions:
${options}    retry:
      limit: -1
      backoff:
        duration: 5s
        factor: 2
        maxduration: 3m
`;
};

/** `application.spec_field` of an Application. */
export const originalSpecField = ({ metadata, spec }: OriginalApplication): string => `fauxtypemeta:
  kind: Application
  apiversion: argoproj.io/v1alpha1
fauxobjectmeta:
  name: ${metadata.name}
  namespace: ${scalar(metadata.namespace)}
spec:
  source:
${indented(sourceLines(spec), '    ')}  destination:
${indented(destinationLines(spec.destination), '    ')}  project: ${spec.project}
${syncPolicy(spec)}status:
  resources: []
  sync:
    status: ""
    comparedto:
      source:
        repourl: ""
        path: ""
        targetrevision: ""
      destination:
        server: ""
        namespace: ""
        name: ""
    revision: ""
    revisions: []
  health:
    status: ""
    message: ""
  conditions: []
  operationstate: null
`;

const time = (text: string | undefined): string => (text === undefined ? 'null' : `"${text}"`);

/** The bytes of `applicationstate.argocd_application_status`; a cluster is named by the id of its row there. */
export const originalStatusBlob = ({ spec, status }: OriginalApplication, environmentId: string): Buffer =>
  gzipSync(
    `resources:
${indented(
  (status?.resources ?? []).flatMap(({ group, version, kind, namespace, name, status: sync, health }) => [
    `- group: ${scalar(group)}`,
    `  version: ${scalar(version)}`,
    `  kind: ${scalar(kind)}`,
    `  namespace: ${scalar(namespace)}`,
    `  name: ${scalar(name)}`,
    `  status: ${scalar(sync)}`,
    ...(health
      ? ['  health:', `    status: ${scalar(health.status)}`, `    message: ${scalar(health.message)}`]
      : ['  health: null']),
    '  hook: false',
    '  requirespruning: false',
    '  syncwave: 0',
  ]),
  '',
)}sync:
  status: ${scalar(status?.sync?.status)}
  comparedto:
    source:
${indented(sourceLines(spec), '      ')}      helm: null
    destination:
${indented(destinationLines(spec.destination, environmentId), '      ')}    sources: []
  revision: ${scalar(status?.sync?.revision)}
  revisions: []
health:
  status: ${scalar(status?.health?.status)}
  message: ""
history: []
conditions: []
reconciledat: ${time(status?.reconciledAt)}
operationstate: null
observedat: null
sourcetype: Directory
summary:
  externalurls: []
  images: []
resourcehealthsource: ""
sourcetypes: []
`,
    { level: 1 },
  );
