// The CustomResourceDefinitions in `deploy/crds`.
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import type { GeneratedFile } from './generated-file.ts';

const MADE = '# Made by `npm run manifests` from src/api. Changes made here are lost.\n';

/** One file for each kind, named as the tools of the field name them: `<group>_<plural>.yaml`; and one that lists them. */
export const manifests = (): GeneratedFile[] => {
  const names = ownKinds.map(({ resource }) => `${resource.group}_${resource.plural}.yaml`);
  const kustomization = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources: names };
  return [
    ...ownKinds.map((kind, index) => ({
      path: `deploy/crds/${names[index]}`,
      text: `${MADE}---\n${toYaml(customResourceDefinition(kind))}`,
    })),
    { path: 'deploy/crds/kustomization.yaml', text: `${MADE}---\n${toYaml(kustomization)}` },
  ];
};
