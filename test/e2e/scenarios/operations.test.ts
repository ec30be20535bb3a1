import { describe, expect, inject } from 'vitest';
import { operationName } from '../../../src/api/labels.ts';
import { operations } from '../../../src/api/v1alpha1/operation.ts';
import { systemRandom } from '../../../src/lib/random.ts';
import { orAbsent } from '../../kit/deployments.ts';
import { isDone } from '../looks.ts';
import { client, configMap, scenario, sql } from '../scenario.ts';

const { argocdNamespace } = inject('endToEnd');

/** Makes an Operation's object by hand. */
const createObject = (namespace: string, id: string) =>
  client.create(operations, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'Operation',
    metadata: { name: operationName(id), namespace },
    spec: { operationID: id },
  });

/** Makes a waiting Operation's row by hand, for an application; its id. */
const createRow = async (applicationId: string, instance: string): Promise<string> => {
  const id = systemRandom.uuid();
  await sql(`insert into operation
      (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on, last_state_update, state)
    select '${id}', ${instance}, '${applicationId}', o.application_owner_user_id, 'Application', now(), now(), 'Waiting'
      from applicationowner o where o.application_owner_application_id = '${applicationId}'`);
  return id;
};

const stateOf = async (id: string): Promise<string | undefined> =>
  (await sql<{ state: string }>(`select state from operation where operation_id = '${id}'`))[0]?.state;

describe('an Operation made by hand', () => {
  scenario('an Operation row and its object are processed', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const deployment = await one.create();
    await step('Synced and Healthy', () => isDone(one));
    const applicationId = (await one.application(deployment))?.metadata.labels?.['databaseID'] ?? '';
    const id = await createRow(
      applicationId,
      '(select instance.gitopsengineinstance_id from gitopsengineinstance instance)',
    );
    await createObject(argocdNamespace, id);
    await step('completed', async () => (await stateOf(id)) === 'Completed');
    await sql(`delete from operation where operation_id = '${id}'`);
    await client.delete(operations, { namespace: argocdNamespace, name: operationName(id) });
  });

  scenario("an Operation object in a namespace that is not Argo CD's is never processed", async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const deployment = await one.create();
    await step('Synced and Healthy', () => isDone(one));
    const applicationId = (await one.application(deployment))?.metadata.labels?.['databaseID'] ?? '';
    const engine = systemRandom.uuid();
    await sql(`insert into gitopsengineinstance (gitopsengineinstance_id, namespace_name, namespace_uid, enginecluster_id)
      select '${engine}', '${one.namespace}', '${engine}', enginecluster_id from gitopsengineinstance limit 1`);
    const id = await createRow(applicationId, `'${engine}'`);
    await createObject(one.namespace, id);
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'two' }) });
    await one.patch('app', { spec: { source: { targetRevision: 'main' } } });
    await step('others are', async () => (await one.configMap('map'))?.['a'] === 'two');
    expect(await stateOf(id)).toBe('Waiting');
    expect(await orAbsent(client.get(operations, { namespace: one.namespace, name: operationName(id) }))).toBeDefined();
    await sql(`delete from operation where operation_id = '${id}'`);
    await sql(`delete from gitopsengineinstance where gitopsengineinstance_id = '${engine}'`);
  });
});
