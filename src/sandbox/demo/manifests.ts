// What the demo leaves for kubectl: the objects that it has shown, one set for each file.
import { credentialOf } from './credential.ts';
import type { DemoOptions } from './demo.ts';
import { deploymentOf } from './deployment.ts';
import { environmentOf } from './environment.ts';

/** The objects by the name of the file that is to hold them. Some of them hold secrets. */
export const manifestsOf = (
  options: Pick<DemoOptions, 'namespace' | 'name' | 'source' | 'other' | 'privateRepository'>,
): Readonly<Record<string, readonly object[]>> => {
  const { namespace, name, source, other, privateRepository } = options;
  const environment = environmentOf(namespace, other);
  const destination = { environment: environment[1].metadata.name, namespace: other.namespace };
  const secretSource = { repoURL: privateRepository.url, path: privateRepository.path };
  return {
    'deployment.yaml': [deploymentOf({ namespace, name, source })],
    'environment.yaml': [...environment, deploymentOf({ namespace, name: `${name}-there`, source, destination })],
    'credential.yaml': [
      ...credentialOf(namespace, privateRepository),
      deploymentOf({ namespace, name: `${name}-private`, source: secretSource }),
    ],
  };
};
