// Operations as nobody of ours makes them, row and object: each known one ends, the others are left or fail, none blocks.
import fc, { type Arbitrary } from 'fast-check';
import { operationName } from '../../src/api/labels.ts';
import { operations } from '../../src/api/v1alpha1/operation.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { orAbsent } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { engineNamespace } from '../kit/world.ts';
import { SETTLE_MS, sqlText, type Ground, type Kind } from './ground.ts';
import { anyText, mostly } from './texts.ts';

/** An Operation's row, and what the object says its row is. */
interface OperationInput {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly resourceId: string;
  readonly message: string | null;
  readonly owned: boolean;
  readonly ours: boolean;
  /** What the object says; undefined for the right id. */
  readonly operationId: string | undefined;
}

/** A text that a column of this length takes. */
const fitting = (most: number): Arbitrary<string> =>
  anyText.map((text) => Array.from(text.replaceAll('\u0000', '').toWellFormed()).slice(0, most).join(''));

/** Ids that are names of objects: the original makes no others, but nothing keeps a hand from it. */
const anyId = mostly<string>(
  fc.uuid({ version: 4 }),
  fc.oneof(
    fitting(48),
    fc.constantFrom(
      'a/b',
      'a/b/c',
      '/',
      '//',
      '',
      ' ',
      '-',
      '../x',
      'application',
      '00000000-0000-0000-0000-000000000000',
    ),
  ),
);

/** Known and unknown ones. */
export const operationInputs: Arbitrary<OperationInput> = fc.record({
  id: fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((number) => `fuzz-${number.toString(16)}`),
  type: mostly<string>(
    fc.constantFrom('Application', 'SyncOperation'),
    fc.oneof(
      fitting(32),
      fc.constantFrom('RepositoryCredentials', 'ManagedEnvironment', 'application', 'a/b', '__proto__', 'constructor'),
    ),
  ),
  state: mostly<string>(
    fc.constantFrom('Waiting', 'In_Progress'),
    fc.oneof(fitting(30), fc.constantFrom('Completed', 'Failed', 'waiting')),
  ),
  resourceId: anyId,
  message: fc.oneof(fc.constant(null), fitting(1024)),
  owned: fc.boolean(),
  ours: fc.boolean(),
  operationId: fc.oneof(fc.constant(undefined), anyText),
});

const known = ['Application', 'ManagedEnvironment', 'RepositoryCredentials', 'SyncOperation', 'GitOpsEngineInstance'];
const carriedOut = ['Application', 'SyncOperation'];

/** How a row ends that an agent takes at once; undefined for one that it leaves alone, or finds by a search only. */
const expectedEnds = ({ type, state }: OperationInput): readonly string[] | undefined => {
  if (state !== 'Waiting') return undefined;
  if (!known.includes(type)) return ['Failed'];
  return carriedOut.includes(type) ? ['Completed', 'Failed'] : undefined;
};

interface Row {
  readonly state: string;
  readonly human_readable_state: string | null;
}

/** Tries Operations. */
export const startOperationInput: Kind<OperationInput> = (ground) =>
  Promise.resolve((input) => tryOperation(ground, input));

const tryOperation = async (ground: Ground, input: OperationInput): Promise<void> => {
  const { world, namespaceUid } = ground;
  const id = `${input.id}-${systemRandom.uuid()}`.slice(0, 48);
  const { database, client } = world;
  const where = `where operation_id = ${sqlText(id)}`;
  await database.sql(`
    insert into operation (operation_id, instance_id, resource_id, operation_owner_user_id, resource_type, created_on,
      last_state_update, state, human_readable_state)
    select ${sqlText(id)}, gitopsengineinstance_id, ${sqlText(input.resourceId)},
      ${input.owned ? `(select clusteruser_id from clusteruser where user_name = '${namespaceUid}')` : 'null'},
      ${sqlText(input.type)}, now(), now(), ${sqlText(input.state)}, ${input.message === null ? 'null' : sqlText(input.message)}
    from gitopsengineinstance`);
  const ref = { namespace: engineNamespace, name: operationName(id) };
  await client.create(operations, {
    apiVersion: 'managed-gitops.redhat.com/v1alpha1',
    kind: 'Operation',
    metadata: ref,
    spec: { operationID: input.operationId ?? id },
  });
  try {
    const ends = expectedEnds(input);
    if (ends)
      await eventually(
        `it ends as ${ends.join(' or ')}`,
        async () => {
          const [row] = await database.sql<Row>(`select state, human_readable_state from operation ${where}`);
          if (row && ends.includes(row.state)) return row.state === 'Completed' || row.human_readable_state !== null;
          throw new Error(JSON.stringify(row));
        },
        SETTLE_MS,
      );
  } finally {
    await database.sql(`delete from operation ${where}`);
    await orAbsent(client.delete(operations, ref));
  }
};
