// A tenant's project is there, and permits what is needed, whoever of its Applications comes and goes at the same time.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { applications } from '../../src/api/argocd/application.ts';
import { leases } from '../../src/kube/object.ts';
import { writeAgentRows, type AgentRows, type ApplicationRows, type TenantRow } from '../kit/agent-rows.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createKeptAnswers } from '../kit/kept-answers.ts';
import { specText } from '../kit/spec-texts.ts';
import { createWorld, engineNamespace, type HalfOptions, type RunningHalf, type World } from '../kit/world.ts';

let world: World;
let rows: AgentRows;
let tenant: TenantRow;
let agent: RunningHalf;

const start = async (options: HalfOptions): Promise<RunningHalf> => (agent = await world.start('agent', options));
const refOf = ({ name }: Pick<ApplicationRows, 'name'>) => ({ namespace: engineNamespace, name });
const find = (app: ApplicationRows) => orAbsent(world.client.get(applications, refOf(app)));
const project = () => orAbsent(world.client.get(appProjects, refOf({ name: `app-project-${tenant.id}` })));
const repositories = async () =>
  (await project())?.spec.sourceRepos?.map((url) => url.replace('https://github.com/org/', '')).toSorted();
const permit = (...names: readonly string[]) =>
  rows.permit(tenant, ...names.map((name) => `https://github.com/org/${name}`));
/** The rows of an Application in the tenant's project. */
const application = (repository: string): Promise<ApplicationRows> =>
  rows.application(tenant, specText({ repository, project: `app-project-${tenant.id}` }));
const made = async (repository: string): Promise<ApplicationRows> => {
  const app = await application(repository);
  await rows.carriedOut(tenant, app.id);
  return app;
};
const removeRow = (app: ApplicationRows) =>
  world.database.sql(`delete from application where application_id = '${app.id}'`);
/** Removes an Application as Argo CD would, once it is asked to. */
const letGo = async (app: ApplicationRows): Promise<void> => {
  await eventually('it is being deleted', async () => (await find(app))?.metadata.deletionTimestamp);
  const body = { metadata: { finalizers: null } };
  await world.client.patch(applications, refOf(app), { type: 'merge', body });
};

beforeAll(async () => {
  world = await createWorld();
  rows = await writeAgentRows(world);
});
beforeEach(async () => {
  tenant = await rows.tenant('team'); // where its Applications deploy to
});
afterEach(() => agent.process.stop());
afterAll(() => world.stop());

/** The removal's own look at its Application is a listing too: lets that through, and waits for the next one. */
const releaseUntilTrim = async (listings: ReturnType<typeof createKeptAnswers>): Promise<void> => {
  listings.open();
  listings.close();
  await listings.untilKept();
};

describe("a tenant's project", () => {
  it('stays where its last Application goes and a new one comes at the same time', async () => {
    const listings = createKeptAnswers('LIST applications');
    await start({ gate: listings.gate });
    await permit('repo');
    const old = await made('repo');
    await rows.forbid(tenant);
    await removeRow(old);
    const removal = await rows.order(tenant, old.id);
    await eventually('it is being deleted', async () => (await find(old))?.metadata.deletionTimestamp);
    await world.quiet();
    listings.close();
    await letGo(old);
    await listings.untilKept();
    await releaseUntilTrim(listings);
    await permit('repo');
    const next = await application('repo');
    const arrival = await rows.order(tenant, next.id);
    await world.quiet();
    listings.open();
    await rows.ended(removal);
    await rows.ended(arrival);
    expect(await find(next)).toBeDefined();
    expect(await repositories()).toEqual(['repo']);
  });

  it('keeps a repository that one Application gives up and another asks for at the same time', async () => {
    const listings = createKeptAnswers('LIST applications');
    await start({ gate: listings.gate });
    await permit('one');
    const first = await made('one');
    await world.quiet();
    await rows.forbid(tenant);
    await permit('two');
    const moved = specText({ repository: 'two', project: `app-project-${tenant.id}` })(first.name);
    await world.database.sql(`update application set spec_field = '${moved}' where application_id = '${first.id}'`);
    listings.close();
    const trimming = await rows.order(tenant, first.id);
    await listings.untilKept();
    await permit('one');
    const second = await application('one');
    const arrival = await rows.order(tenant, second.id);
    await world.quiet();
    listings.open();
    await rows.ended(trimming);
    await rows.ended(arrival);
    expect(await repositories()).toEqual(['one', 'two']);
  });

  it('is not given again what it has lost, by one that read the rows before', async () => {
    const targets = createKeptAnswers('agent-claim');
    await start({ gate: targets.gate });
    await permit('one', 'two');
    const [first, second] = [await made('one'), await made('one')];
    await world.quiet();
    targets.close('next');
    const early = await rows.order(tenant, first.id);
    await targets.untilKept();
    await rows.forbid(tenant);
    await permit('one');
    await rows.carriedOut(tenant, second.id);
    expect(await repositories()).toEqual(['one']);
    targets.open();
    await rows.ended(early);
    expect(await repositories()).toEqual(['one']);
  });
});
describe('an agent that has lost its Lease', () => {
  it('makes nothing any more', async () => {
    const targets = createKeptAnswers('agent-application-targets');
    const { log, lines } = capturedLog();
    await start({ gate: targets.gate, log });
    // It would make what it finds missing, without the Operation.
    await eventually('the search of a start is over', () => targets.ended('agent-application-names') > 0);
    await permit('repo');
    const app = await application('repo');
    targets.close();
    await rows.order(tenant, app.id);
    await targets.untilKept();
    const ref = { namespace: engineNamespace, name: 'managed-gitops-agent' };
    const body = { spec: { holderIdentity: 'another', renewTime: '2999-01-01T00:00:00.000000Z' } };
    await eventually('the Lease is taken', () => world.client.patch(leases, ref, { type: 'merge', body }));
    await eventually('it is noticed', () => lines.some(({ msg }) => String(msg).startsWith('the Lease is lost')));
    targets.open();
    await agent.process.stop();
    expect(await find(app)).toBeUndefined();
    expect(await project()).toBeUndefined();
    await world.client.delete(leases, ref);
  });
});
