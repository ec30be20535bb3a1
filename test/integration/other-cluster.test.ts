// Two clusters on one database, as a wrong kubeconfig or database makes it: neither touches what is the other's.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argoKinds } from '../../src/api/argocd/kinds.ts';
import { customResourceDefinition } from '../../src/api/crd.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { applicationNameFor, operationName } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { createKubeClient } from '../../src/kube/http-client.ts';
import { parseKubeconfig } from '../../src/kube/kubeconfig.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openGate } from '../../src/lib/gate.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { startApiServer, type ApiServer } from '../../src/sandbox/apiserver/server.ts';
import { capturedLog, silentLog } from '../kit/captured-log.ts';
import { aDeployment, deploymentsOf, orAbsent, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, engineNamespace, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let deployments: Deployments;
let otherApi: ApiServer;
let other: KubeClient;
let otherBackend: RunningHalf;
let agent: RunningHalf;
let mine: GitOpsDeployment;
const ref = { namespace: 'team-a', name: 'app' };
const { log, lines } = capturedLog();

const connectOther = (): KubeClient =>
  createKubeClient({
    clock: systemClock,
    random: systemRandom,
    gate: openGate,
    log: silentLog,
    metrics: createMetrics(),
    access: parseKubeconfig(otherApi.kubeconfig),
  });
const warnings = () => lines.filter(({ level, msg }) => level === 'error' && String(msg).includes('another cluster'));
const links = () =>
  world.database.sql(
    `select 1 from deploymenttoapplicationmapping where deploymenttoapplicationmapping_uid_id = '${mine.metadata.uid}'`,
  );
interface Ticket {
  readonly operation_id: string;
  readonly state: string;
  readonly delivered_at: string | null;
}
const tickets = () =>
  world.database.sql<Ticket>(
    `select o.* from operation o join deploymenttoapplicationmapping l on l.application_id = o.resource_id
    where l.deploymenttoapplicationmapping_uid_id = '${mine.metadata.uid}' order by o.seq_id`,
  );
/** The other backend has looked at every lane of the database at least twice since this was called. */
const looksTwice = async () => {
  const before = await otherBackend.passes('deployment');
  await eventually('it has looked again', async () => (await otherBackend.passes('deployment')) >= before + 4);
};

beforeAll(async () => {
  world = await createWorld();
  deployments = deploymentsOf(world);
  otherApi = await startApiServer({
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    crds: [...ownKinds, ...argoKinds].map(customResourceDefinition),
    namespaces: [engineNamespace],
  });
  other = connectOther();
  const backend = await world.start('backend');
  agent = await world.start('agent');
  await world.createNamespace(ref.namespace);
  mine = await world.apply(aDeployment(ref));
  await deployments.deployed(mine);
  await world.quiet();
  await backend.process.stop();
  otherBackend = await world.start('backend', {
    client: () => other,
    log,
    flags: { resync: '100ms', 'second-look': '50ms', redeliver: '50ms', 'foreign-operation-age': '1ms' },
  });
});
afterAll(async () => {
  await world.stop();
  other.close();
  await otherApi.stop();
});

describe('a backend of another cluster', () => {
  it('removes nothing of what the first has deployed, however often it looks, and says once what is wrong', async () => {
    await looksTwice();
    expect(await links()).toHaveLength(1);
    expect(await world.database.sql('select 1 from deletion')).toEqual([]);
    expect((await deployments.application(mine))?.metadata.deletionTimestamp).toBeUndefined();
    expect(warnings()).toHaveLength(1);
  });

  it('finishes no removal that the first has under way', async () => {
    const backend = await world.start('backend');
    const going = await world.apply(aDeployment({ ...ref, name: 'going' }));
    await deployments.deployed(going);
    await world.quiet(); // the Operation that made it has been collected
    await agent.process.stop();
    await world.client.delete(gitOpsDeployments, { ...ref, name: 'going' });
    const removals = () =>
      world.database.sql<{ operation_id: string }>(
        `select operation_id from deletion where deployment_uid = '${going.metadata.uid}'`,
      );
    await eventually('the removal is written', async () => (await removals()).length === 1);
    await backend.process.stop();
    // As after an agent that gave up: the other cluster has no such Application, which proves nothing.
    await world.database.sql(`update operation set state = 'Completed' where state = 'Waiting'`);
    await looksTwice();
    expect(await removals()).toHaveLength(1);
    expect(await world.database.sql('select 1 from operation'), 'its Operation is not collected').toHaveLength(1);
    await world.database.sql(`update operation set state = 'Waiting'`);
    const again = await world.start('backend');
    agent = await world.start('agent');
    await deployments.cleanUp(going);
    await eventually('the removal is complete', async () => (await removals()).length === 0);
    await world.quiet();
    await again.process.stop();
  });

  it('delivers, touches and collects none of its Operations', async () => {
    await agent.process.stop();
    const backend = await world.start('backend', {
      gate: (call, run) =>
        call.name === 'POST operations' ? Promise.reject(new Error('the process died here')) : run(),
    });
    await world.apply(aDeployment({ ...ref, path: 'changed' }));
    await eventually('the Operation is written', async () => (await tickets()).length === 1);
    await backend.process.stop();
    await looksTwice();
    const [ticket] = await tickets();
    expect(ticket).toMatchObject({ state: 'Waiting', delivered_at: null });
    expect((await other.list(operations, { namespace: engineNamespace })).items).toEqual([]);

    await world.database.sql(
      `update operation set state = 'Completed', delivered_at = now() - interval '1 hour',
        last_state_update = now() - interval '1 hour', dedupe_key = null`,
    );
    await looksTwice();
    expect(await tickets()).toHaveLength(1);
    await world.database.sql(
      `update operation set state = 'Waiting', delivered_at = null, dedupe_key = 'instance/Application/resource'`,
    );
    const again = await world.start('backend');
    agent = await world.start('agent');
    await eventually('the first cluster carries it out', async () => {
      return (await deployments.application(mine))?.spec.source?.path === 'changed' && (await tickets()).length === 0;
    });
    const name = operationName(ticket?.operation_id ?? '');
    expect(await orAbsent(world.client.get(operations, { namespace: engineNamespace, name }))).toBeUndefined();
    await again.process.stop();
  });

  it('serves its own deployments, also one of the same namespace and name', async () => {
    const otherClient = connectOther();
    const otherAgent = await world.start('agent', { client: () => otherClient });
    await other.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ref.namespace } });
    const its = await other.create(gitOpsDeployments, aDeployment({ ...ref, path: 'of-the-other' }));
    const name = applicationNameFor(its.metadata.uid ?? '');
    const inEngine = { namespace: engineNamespace, name };
    const application = await eventually('it is deployed', () => orAbsent(other.get(applications, inEngine)));
    expect(application.spec.source?.path).toBe('of-the-other');
    expect(await orAbsent(world.client.get(applications, inEngine))).toBeUndefined();

    await other.delete(gitOpsDeployments, ref);
    await eventually('it is being deleted', async () =>
      Boolean((await orAbsent(other.get(applications, inEngine)))?.metadata.deletionTimestamp),
    );
    await other.patch(applications, inEngine, { type: 'merge', body: { metadata: { finalizers: null } } });
    await eventually('its rows are gone', async () => {
      const left = await world.database.sql(
        `select 1 from deletion union all
        select 1 from deploymenttoapplicationmapping
          where deploymenttoapplicationmapping_uid_id = '${its.metadata.uid}'`,
      );
      return left.length === 0;
    });
    expect(await links()).toHaveLength(1);
    expect(warnings()).toHaveLength(1);
    await otherAgent.process.stop();
    otherClient.close();
  });
});
