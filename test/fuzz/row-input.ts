// Rows that somebody damaged: the next change of the deployment mends them, or the user is told; others never notice.
import { gzipSync } from 'node:zlib';
import fc, { type Arbitrary } from 'fast-check';
import { gitOpsDeployments } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { aDeployment, conditionOf, orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { errorOf, namespace, readDeployment, SETTLE_MS, sqlText, type Ground, type Kind } from './ground.ts';
import { anyText } from './texts.ts';

const fitting = (most: number): Arbitrary<string> =>
  anyText.map((text) => Array.from(text.replaceAll('\u0000', '').toWellFormed()).slice(0, most).join(''));

/** What happens to the rows of one application. */
interface Damage {
  readonly table: string;
  readonly column: string;
  /** As SQL writes it. */
  readonly value: string;
}

const textIn = (table: string, column: string, most: number): Arbitrary<Damage> =>
  fitting(most).map((text) => ({ table, column, value: sqlText(text) }));

const nullIn = (table: string, column: string): Arbitrary<Damage> => fc.constant({ table, column, value: 'null' });

/** More of nothing than is ever unpacked, in little. */
const bomb = gzipSync(Buffer.alloc(70 * 1024 * 1024));

const blobs: Arbitrary<Buffer> = fc.oneof(
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  anyText.map((text) => gzipSync(text)),
  fc.constantFrom(
    bomb,
    gzipSync('sync: &a [*a, *a]\nhealth: *a\n'),
    gzipSync(`a: &a [x, x]\n${'b: [*a, *a, *a]\n'.repeat(200)}`),
    gzipSync('health: {status: Healthy}').subarray(0, 20),
    gzipSync(`resources: ${'['.repeat(50_000)}`),
    gzipSync(`health: {status: ${'x'.repeat(200_000)}}`),
  ),
);

/** One column of the rows of an application is damaged. */
export const damages: Arbitrary<Damage> = fc.oneof(
  textIn('application', 'spec_field', 16_384),
  textIn('application', 'name', 256),
  textIn('application', 'normalized_repo_url', 512),
  nullIn('application', 'managed_environment_id'),
  blobs.map((blob) => ({
    table: 'applicationstate',
    column: 'argocd_application_status',
    value: `'\\x${blob.toString('hex')}'`,
  })),
  textIn('applicationstate', 'content_hash', 64),
  textIn('deploymenttoapplicationmapping', 'namespace', 96),
  nullIn('deploymenttoapplicationmapping', 'namespace'),
  nullIn('deploymenttoapplicationmapping', 'generation'),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => ({
    table: 'deploymenttoapplicationmapping',
    column: 'generation',
    value: value.toString(),
  })),
);

const keys: Readonly<Record<string, string>> = {
  application: 'application_id',
  applicationstate: 'applicationstate_application_id',
  deploymenttoapplicationmapping: 'application_id',
};

/** Damages rows of deployments, then changes the deployments. */
export const startDamage: Kind<Damage> = (ground) => Promise.resolve((damage) => tryDamage(ground, damage));

const tryDamage = async (ground: Ground, { table, column, value }: Damage): Promise<void> => {
  const { world, deployments } = ground;
  const name = ground.newName();
  const made = await world.apply(aDeployment({ namespace, name }));
  await deployments.deployed(made);
  await deployments.patchApplication(made, { status: { health: { status: 'Healthy' } } });
  const [row] = await eventually('the status has its row', async () => {
    const rows = await world.database.sql<{ id: string }>(`
      select l.application_id as id from deploymenttoapplicationmapping l
      join applicationstate s on s.applicationstate_application_id = l.application_id
      where l.deploymenttoapplicationmapping_uid_id = '${made.metadata.uid ?? ''}'`);
    return rows.length > 0 ? rows : undefined;
  });
  await world.database.sql(`update ${table} set ${column} = ${value} where ${keys[table] ?? ''} = '${row?.id ?? ''}'`);
  await world.apply(aDeployment({ namespace, name, path: 'changed' }));
  try {
    await eventually(
      'the change arrives, or the user is told why not',
      async () => {
        const shown = await readDeployment(ground, name);
        const error = errorOf(shown);
        if (error !== undefined && conditionOf(shown, 'Stalled')?.status === 'True') return true;
        const application = await deployments.application(made);
        if (application?.spec.source?.path === 'changed') return true;
        throw new Error(JSON.stringify(shown.status?.conditions));
      },
      SETTLE_MS,
    );
  } finally {
    await orAbsent(world.client.delete(gitOpsDeployments, { namespace, name }));
  }
};
