// The CustomResourceDefinitions in `deploy/crds`.
import { customResourceDefinition } from '../../src/api/crd.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { toYaml } from '../../src/lib/yaml.ts';
import type { GeneratedFile } from './generated-file.ts';

/** One file for each kind, named as the tools of the field name them: `<group>_<plural>.yaml`. */
export const manifests = (): GeneratedFile[] =>
  ownKinds.map((kind) => ({
    path: `deploy/crds/${kind.resource.group}_${kind.resource.plural}.yaml`,
    text: `# Made by \`npm run manifests\` from src/api. Changes made here are lost.\n---\n${toYaml(customResourceDefinition(kind))}`,
  }));
