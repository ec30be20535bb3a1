// What fuzzing stands on: both halves on a world, a bystander that must always be served, and the ways to look.
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { unknownError } from '../../src/api/messages.ts';
import { ApiError } from '../../src/kube/status-error.ts';
import { capturedLog } from '../kit/captured-log.ts';
import { aDeployment, deploymentsOf, type Deployments } from '../kit/deployments.ts';
import { eventually } from '../kit/eventually.ts';
import { createWorld, type RunningHalf, type World } from '../kit/world.ts';

/** Where the inputs go. */
export const namespace = 'fuzz';

/** How long anything may take before it counts as never. Milliseconds. */
export const SETTLE_MS = 8000;

/** A text as SQL writes it, whatever is in it. */
export const sqlText = (text: string): string => `U&'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;

/** True when the API server took a request for wrong: what is refused at the door harms nobody. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError && error.code >= 400 && error.code < 500;

/** Both halves at work, and who must not be hurt. */
export interface Ground {
  readonly world: World;
  readonly deployments: Deployments;
  readonly backend: RunningHalf;
  readonly agent: RunningHalf;
  /** The UID of the namespace that inputs go to. */
  readonly namespaceUid: string;
  /** A name that nothing has yet. */
  newName(): string;
  /** Changes the bystander, of the same tenant, and waits until its Application has changed. */
  serveBystander(): Promise<void>;
  /** What was logged as an error since this was asked last. */
  takeErrors(): readonly string[];
  stop(): Promise<void>;
}

/** Starts everything. */
export const startGround = async (): Promise<Ground> => {
  const { log, lines } = capturedLog();
  const world = await createWorld({ log });
  const deployments = deploymentsOf(world);
  const backend = await world.start('backend', { log });
  const agent = await world.start('agent', { log });
  const namespaceUid = await world.createNamespace(namespace);
  const bystander = await world.apply(aDeployment({ namespace, name: 'bystander' }));
  await deployments.deployed(bystander);
  let names = 0;
  let turns = 0;
  return {
    world,
    deployments,
    backend,
    agent,
    namespaceUid,
    newName: () => `fuzz-${(names += 1)}`,
    async serveBystander() {
      const path = `turn-${(turns += 1)}`;
      await world.apply(aDeployment({ namespace, name: 'bystander', path }));
      await eventually(
        `the bystander is served (${path})`,
        async () => {
          return (await deployments.application(bystander))?.spec.source?.path === path;
        },
        SETTLE_MS,
      );
    },
    takeErrors: () =>
      lines
        .splice(0)
        .filter(({ level }) => level === 'error' || level === 'fatal')
        .map((line) => JSON.stringify(line)),
    stop: () => world.stop(),
  };
};

/** The one condition that tells of an error, if there is one; more than one is an error itself. */
export const errorOf = ({ status }: GitOpsDeployment): string | undefined => {
  const errors = (status?.conditions ?? []).filter((one) => one.type === 'ErrorOccurred' && one.status === 'True');
  if (errors.length > 1) throw new Error('more than one condition tells of an error');
  const [error] = errors;
  if (error?.message === unknownError) throw new Error(`the cause is ours: ${unknownError}`);
  if (error && (error.message ?? '').length > 4096) throw new Error('the condition is longer than anybody reads');
  return error?.message;
};

/** The deployment as it is now. */
export const readDeployment = ({ world }: Ground, name: string): Promise<GitOpsDeployment> =>
  world.client.get(gitOpsDeployments, { namespace, name });

/** Makes what inputs of a kind need; gives the function that tries one, and throws if it does not end well. */
export type Kind<T> = (ground: Ground) => Promise<(input: T) => Promise<void>>;
