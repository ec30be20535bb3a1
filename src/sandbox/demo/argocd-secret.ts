// Looks for the Secrets by which Argo CD reaches clusters and repositories.
import { secretTypeLabel } from '../../api/labels.ts';
import { secrets } from '../../kube/object.ts';
import type { Stage } from './stage.ts';

type SecretType = 'cluster' | 'repository';

const namesOf = async ({ client, engineNamespace }: Stage, type: SecretType): Promise<readonly string[]> => {
  const labelSelector = `${secretTypeLabel}=${type}`;
  const { items } = await client.list(secrets, { namespace: engineNamespace, labelSelector });
  return items.map(({ metadata }) => metadata.name);
};

/** The name of the Secret, once there is one. */
export const argoCdSecret = async (stage: Stage, type: SecretType): Promise<string | undefined> =>
  (await namesOf(stage, type))[0];

/** That there is none any more. */
export const goneSecret = async (stage: Stage, type: SecretType): Promise<string | undefined> =>
  (await namesOf(stage, type)).length === 0 ? 'gone' : undefined;
