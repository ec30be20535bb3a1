// The demo's first chapter: a deployment's whole way, a commit that arrives, and everything gone after its deletion.
import { operations } from '../../api/v1alpha1/operation.ts';
import { selectApplicationIdOf, selectTenantIdOf } from '../../db/queries/demo.ts';
import type { KubeClient } from '../../kube/client.ts';
import { namespaces } from '../../kube/object.ts';
import { isAlreadyExists } from '../../kube/status-error.ts';
import { Fault, messageOf } from '../../lib/fault.ts';
import { pageConfigMap, type SampleRepository } from '../sample-repository.ts';
import {
  applyDeployment,
  arrival,
  configMaps,
  deleteDeployment,
  disappearance,
  readDeployment,
  type Applied,
  type Wanted,
} from './deployment.ts';
import { read, readyMessage, see, type Sight, type Stage } from './stage.ts';

/** The page that the second commit brings. */
const NEW_GREETING = 'Hello again';

/** Shows it, with a commit where the sample repository is deployed. */
export const showFirstDeployment = async (
  stage: Stage,
  wanted: Wanted,
  sample: SampleRepository | undefined,
): Promise<void> => {
  const { client, write, namespace } = stage;
  const ticket = watchForOperation(stage); // before anything can make one
  const namespaceUid = await makeNamespace(client, namespace);
  const applied = await applyDeployment(stage, wanted);
  const inside = insideOf(stage, { uid: applied.uid, namespaceUid, ticket });
  await see(stage, applied.subject, [...inside, ...arrival(stage, applied)]);

  if (sample) {
    const commit = await sample.commitPage(NEW_GREETING);
    write('');
    write(`Pushed commit ${commit.slice(0, 12)}: the page now says "${NEW_GREETING}"`);
    await see(stage, applied.subject, arrivalOfCommit(stage, applied, commit));
  }

  await deleteDeployment(stage, applied);
  write('');
  write(`Deleted GitOpsDeployment ${namespace}/${applied.name}`);
  await see(stage, applied.subject, disappearance(stage, applied));
};

/** Makes the namespace unless it is there. Returns its UID. */
const makeNamespace = async (client: KubeClient, name: string): Promise<string> => {
  try {
    await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
  return (await client.get(namespaces, { name })).metadata.uid ?? '';
};

/** What the service makes of the object: rows, and an Operation for the agent. */
const insideOf = (
  { db }: Stage,
  of: { readonly uid: string; readonly namespaceUid: string; readonly ticket: () => string | undefined },
): readonly Sight[] => [
  {
    name: 'object seen',
    look: async () => told('tenant', await selectTenantIdOf(db, of.namespaceUid)),
  },
  { name: 'rows', look: async () => told('application', await selectApplicationIdOf(db, of.uid)) },
  { name: 'Operation', look: async () => of.ticket() },
];

const told = (what: string, id: string | undefined): string | undefined =>
  id === undefined ? undefined : `${what} ${id}`;

/** An Operation lives for milliseconds, so it is watched for. The watch ends with the first, or with the demo. */
const watchForOperation = ({ client, engineNamespace, signal }: Stage): (() => string | undefined) => {
  let seen: string | undefined;
  let failure: unknown;
  const end = new AbortController();
  const follow = async (): Promise<void> => {
    const watch = client.watch(operations, {
      namespace: engineNamespace,
      signal: AbortSignal.any([signal, end.signal]),
    });
    for await (const event of watch) {
      if (event.type !== 'ADDED') continue;
      seen = event.object.metadata.name;
      end.abort();
    }
  };
  follow().catch((error: unknown) => {
    if (seen === undefined) failure = error;
  });
  return () => {
    if (failure !== undefined)
      throw new Fault('internal', 'DemoStepMissed', `Operations can't be watched: ${messageOf(failure)}`);
    return seen;
  };
};

const arrivalOfCommit = (stage: Stage, applied: Applied, commit: string): readonly Sight[] => [
  {
    name: 'in the cluster',
    look: async () => {
      const page = await read(stage.client, configMaps, { namespace: stage.namespace, name: pageConfigMap });
      return page?.data?.['index.html'] === NEW_GREETING ? `ConfigMap ${pageConfigMap} says it` : undefined;
    },
  },
  {
    name: 'status',
    look: async () => {
      const deployment = await readDeployment(stage, applied);
      return deployment?.status?.sync?.revision === commit ? readyMessage(deployment) : undefined;
    },
  },
];
