// What is removed is proven to be gone, what has ended is proven to have ended: steps of single lanes, called by hand.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { createCurrentRows } from '../../src/backend/current-rows.ts';
import { createLaneIndex } from '../../src/backend/lane-index.ts';
import { createAbsences } from '../../src/backend/absences.ts';
import { applyPlan } from '../../src/backend/deployments/apply.ts';
import type { DeploymentContext } from '../../src/backend/deployments/context.ts';
import { createGather } from '../../src/backend/deployments/gather.ts';
import { laneKey } from '../../src/backend/lane.ts';
import { createDeploymentReconciler } from '../../src/backend/deployments/reconcile.ts';
import { createStatusReporter } from '../../src/backend/deployments/status.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { namespaces, type Namespace } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createStore, type Store } from '../../src/runtime/store.ts';
import { silentLog } from '../kit/captured-log.ts';
import { aDeployment, conditionOf } from '../kit/deployments.ts';
import { createWorld, engineNamespace, type World } from '../kit/world.ts';

let world: World;
let count = 0;

/** The lane of one deployment, with caches that see the cluster when told to. */
interface Lane {
  readonly key: string;
  readonly namespaceUid: string;
  readonly ref: { readonly namespace: string; readonly name: string };
  readonly context: DeploymentContext & { readonly deployments: Store<GitOpsDeployment> };
  readonly gather: ReturnType<typeof createGather>;
  /** Brings the caches up to date, as watches would. */
  see(): Promise<void>;
  pass(): Promise<unknown>;
}

const newLane = async (): Promise<Lane> => {
  const ref = { namespace: `team-${(count += 1)}`, name: 'app' };
  const namespaceUid = await world.createNamespace(ref.namespace);
  const deployments = createStore<GitOpsDeployment>({ log: silentLog });
  const known = createStore<Namespace>({ log: silentLog });
  const platform = { clock: systemClock, random: systemRandom, log: silentLog, metrics: createMetrics() };
  const context = {
    ...platform,
    client: world.client,
    db: world.database.database,
    deployments,
    namespaces: known,
    absences: createAbsences(platform, { secondLookMs: 10_000, maxUnseenDeletions: 10, kind: 'GitOpsDeployment' }),
    laneIndex: createLaneIndex(),
    currentRows: createCurrentRows(() => undefined),
    engineNamespace,
    plan: { projectIsolation: true, retryFailedMs: 600_000 },
    lost: new AbortController().signal,
  };
  const status = createStatusReporter({ ...context, standardConditions: true, announce: () => undefined });
  const gather = createGather(context);
  const reconcile = createDeploymentReconciler(context, { gather, status, settled: () => undefined });
  const key = laneKey('deployment', { namespaceUid, name: ref.name });
  return {
    key,
    namespaceUid,
    ref,
    context,
    gather,
    async see() {
      known.replace((await world.client.list(namespaces)).items);
      deployments.replace((await world.client.list(gitOpsDeployments, { namespace: ref.namespace })).items);
    },
    pass: () => reconcile(key, { signal: context.lost, log: silentLog, runId: '00000000' }),
  };
};

interface LinkRow {
  readonly uid: string;
  readonly generation: number;
}
const linksOf = ({ namespaceUid }: Lane) =>
  world.database.sql<LinkRow>(
    `select deploymenttoapplicationmapping_uid_id as uid, generation from deploymenttoapplicationmapping
    where namespace_uid = '${namespaceUid}' order by seq_id`,
  );
const removalsOf = ({ namespaceUid }: Lane) =>
  world.database.sql<{ uid: string }>(
    `select deployment_uid as uid from deletion where namespace_uid = '${namespaceUid}'`,
  );
/** A link with an application of its own, made by somebody else from the first one of the lane. */
const addLink = ({ namespaceUid }: Lane, uid: string) =>
  world.database.script(`
    insert into application (application_id, name, spec_field, engine_instance_inst_id, managed_environment_id, created_on)
      select '${uid}', 'gitopsdepl-${uid}', spec_field, engine_instance_inst_id, managed_environment_id, now()
      from application where application_id = (
        select application_id from deploymenttoapplicationmapping where namespace_uid = '${namespaceUid}' limit 1);
    insert into deploymenttoapplicationmapping
        (deploymenttoapplicationmapping_uid_id, name, namespace, namespace_uid, application_id)
      select '${uid}', name, namespace, namespace_uid, '${uid}' from deploymenttoapplicationmapping
      where namespace_uid = '${namespaceUid}' limit 1`);
const setGeneration = ({ namespaceUid }: Lane, generation: number) =>
  world.database.sql(
    `update deploymenttoapplicationmapping set generation = ${generation} where namespace_uid = '${namespaceUid}'`,
  );
const endOperations = () => world.database.sql(`update operation set state = 'Completed' where state = 'Waiting'`);
const liveReads = () => world.api.requests()['get gitopsdeployments'] ?? 0;

let lane: Lane;
let made: GitOpsDeployment;

beforeAll(async () => {
  world = await createWorld();
});
beforeEach(async () => {
  lane = await newLane();
  made = await world.apply(aDeployment(lane.ref));
  await lane.see();
  await lane.pass();
  expect(await linksOf(lane)).toEqual([{ uid: made.metadata.uid, generation: 1 }]);
});
afterAll(() => world.stop());

describe('a link that is first seen under the lock', () => {
  it('is not removed with the one that is proven to be gone', async () => {
    await world.client.delete(gitOpsDeployments, lane.ref);
    await lane.see();
    lane.context.absences.sawDeletion(made.metadata.uid ?? '');
    const facts = await lane.gather(lane.key);
    const late = systemRandom.uuid();
    await addLink(lane, late);
    await applyPlan(lane.context, facts);
    expect((await linksOf(lane)).map(({ uid }) => uid)).toEqual([late]);
    expect(await removalsOf(lane)).toEqual([{ uid: made.metadata.uid }]);
  });

  it('is not removed because a live deployment has another UID', async () => {
    await world.apply(aDeployment({ ...lane.ref, path: 'changed' }));
    await lane.see();
    const facts = await lane.gather(lane.key);
    await addLink(lane, systemRandom.uuid());
    await applyPlan(lane.context, facts);
    expect(await linksOf(lane)).toHaveLength(2);
    expect(await removalsOf(lane)).toEqual([]);
  });
});

describe('rows that were planned from a newer generation than there is', () => {
  it('are brought back to a restored API server by one live read, and the next pass reads nothing live', async () => {
    await setGeneration(lane, 100);
    await world.apply(aDeployment({ ...lane.ref, path: 'restored' }));
    await lane.see();
    const before = liveReads();
    await lane.pass();
    expect(liveReads()).toBe(before + 1);
    expect(await linksOf(lane)).toEqual([{ uid: made.metadata.uid, generation: 2 }]);
    await lane.pass();
    expect(liveReads()).toBe(before + 1);
  });

  it('are never called stale by a restored API server, also when they say what is wanted', async () => {
    await endOperations();
    await setGeneration(lane, 100);
    await lane.pass();
    const shown = await world.client.get(gitOpsDeployments, lane.ref);
    expect(conditionOf(shown, 'Reconciling')?.reason).toBe('WaitingForArgoCD');
  });

  it('are left alone by a pass whose cache lags: what is there is read live and is in order', async () => {
    await world.apply(aDeployment({ ...lane.ref, path: 'newer' }));
    await setGeneration(lane, 2);
    await lane.pass(); // its cache still has generation 1
    expect(await linksOf(lane)).toEqual([{ uid: made.metadata.uid, generation: 2 }]);
    const [row] = await world.database.sql<{ spec_field: string }>(
      `select spec_field from application where name = 'gitopsdepl-${made.metadata.uid}'`,
    );
    expect(row?.spec_field).toContain('newer');
  });

  it('make a pass wait when they were written after it had gathered from its cache', async () => {
    await world.apply(aDeployment({ ...lane.ref, path: 'older' }));
    await lane.see();
    const facts = await lane.gather(lane.key);
    expect(facts.live).toBe(false);
    await setGeneration(lane, 3);
    await expect(applyPlan(lane.context, facts)).rejects.toMatchObject({
      kind: 'waiting',
      reason: 'StaleCache',
      retryAfterMs: 1000,
    });
    expect(await linksOf(lane)).toEqual([{ uid: made.metadata.uid, generation: 3 }]);
  });
});

describe('a deployment with a fault whose predecessor is still being removed', () => {
  beforeEach(async () => {
    await world.client.delete(gitOpsDeployments, lane.ref);
    await world.client.create(gitOpsDeployments, aDeployment({ ...lane.ref, path: '/' }));
    await lane.see();
    await lane.pass(); // removes the rows
    expect(await removalsOf(lane)).toEqual([{ uid: made.metadata.uid }]);
  });

  it('is looked at again by the clock until that is complete, and then no more', async () => {
    await expect(lane.pass()).rejects.toMatchObject({ kind: 'user', reason: 'PathIsRoot', retryAfterMs: 10_000 });
    await endOperations();
    await lane.see();
    await expect(lane.pass()).rejects.toMatchObject({ reason: 'PathIsRoot', retryAfterMs: undefined });
    expect(await removalsOf(lane)).toEqual([]);
  });

  it('does not make the removal complete while the Application is there', async () => {
    await endOperations();
    const name = `gitopsdepl-${made.metadata.uid}`;
    const application = await world.client.create(applications, {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name, namespace: engineNamespace },
      spec: { project: 'default', destination: { namespace: lane.ref.namespace, name: 'in-cluster' } },
    });
    await expect(lane.pass()).rejects.toMatchObject({ retryAfterMs: 10_000 });
    expect(await removalsOf(lane)).toHaveLength(1);
    await world.client.delete(applications, { namespace: engineNamespace, name: application.metadata.name });
    await lane.see();
    await expect(lane.pass()).rejects.toMatchObject({ retryAfterMs: undefined });
    expect(await removalsOf(lane)).toEqual([]);
  });
});
