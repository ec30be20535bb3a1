// The text in `application.spec_field`: the Application that should exist, in the format that both halves read.
import { userFault } from '../api/reasons.ts';
import { toGoYaml } from '../lib/go-yaml-text.ts';
import { parseYamlScalarsAsText } from '../lib/yaml.ts';
import { goFlag, goInteger, goList, goPointer, goStruct, goText, type GoYaml } from './go-yaml.ts';

type Read<G> = G extends GoYaml<infer T> ? T : never;

const source = goStruct({ repoURL: goText, path: goText, targetRevision: goText });
const destination = goStruct({ server: goText, namespace: goText, name: goText });
const syncPolicy = goStruct({
  automated: goPointer(goStruct({ prune: goFlag, selfHeal: goFlag, allowEmpty: goFlag })),
  syncOptions: goList(goText),
  retry: goPointer(
    goStruct({
      limit: goInteger,
      backoff: goPointer(goStruct({ duration: goText, factor: goInteger, maxDuration: goText })),
    }),
  ),
});
const document = goStruct({
  fauxTypeMeta: goStruct({ kind: goText, apiVersion: goText }),
  fauxObjectMeta: goStruct({ name: goText, namespace: goText }),
  spec: goStruct({ source, destination, project: goText, syncPolicy: goPointer(syncPolicy) }),
});
// The original writes an empty status along with the spec; readers of either kind ignore it.
const status = goStruct({
  resources: goList(goText),
  sync: goStruct({
    status: goText,
    comparedTo: goStruct({ source, destination }),
    revision: goText,
    revisions: goList(goText),
  }),
  health: goStruct({ status: goText, message: goText }),
  conditions: goList(goText),
  operationState: goPointer(goText),
});

/** How an Application is synced; without `automated` only by order. */
export type DesiredSyncPolicy = Read<typeof syncPolicy>;

/**
 * The Application that a row asks for, named `gitopsdepl-<uid of the GitOpsDeployment>`, in Argo CD's namespace. Absent
 * texts are ''.
 */
export interface DesiredApplication {
  name: string;
  namespace: string;
  project: string;
  source: Read<typeof source>;
  destination: Read<typeof destination>;
  syncPolicy: DesiredSyncPolicy | undefined;
}

const asDocument = ({ name, namespace, ...spec }: DesiredApplication): Read<typeof document> => ({
  fauxTypeMeta: { kind: 'Application', apiVersion: 'argoproj.io/v1alpha1' },
  fauxObjectMeta: { name, namespace },
  spec,
});

/** The text for `application.spec_field`, as the original writes it; but no character is taken out of a value. */
export const writeSpecField = (application: DesiredApplication): string =>
  toGoYaml({ ...Object(document.write(asDocument(application))), status: status.write(undefined) });

/**
 * The Application in a `spec_field`, whoever wrote it.
 * @throws Fault('user') when the text is not YAML, or not that of an Application.
 */
export const readSpecField = (text: string): DesiredApplication => {
  const { fauxObjectMeta, spec } = document.read(parseYamlScalarsAsText(text));
  // Whatever is absent reads as '': without this, any text would ask for an Application of nothing.
  if (fauxObjectMeta.name === '' || spec.project === '' || spec.source.repoURL === '') {
    throw userFault('InvalidSpecField', 'it describes no Application');
  }
  return { ...fauxObjectMeta, ...spec };
};

/** True when two Applications mean the same. A policy that says nothing is the same as none. */
export const sameApplication = (one: DesiredApplication, other: DesiredApplication): boolean =>
  canonical(one) === canonical(other);

const canonical = (application: DesiredApplication): string => {
  const { syncPolicy: policy } = application;
  const speaks = policy && (policy.automated || policy.retry || policy.syncOptions.length > 0);
  return JSON.stringify(document.write(asDocument({ ...application, syncPolicy: speaks ? policy : undefined })));
};
