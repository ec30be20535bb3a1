// Inputs made from a seed: none of them may stop the service, hide what is wrong with it, or hurt a bystander.
import fc, { type Arbitrary } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deploymentInputs, startDeploymentInput } from './deployment-input.ts';
import { startGround, type Ground, type Kind } from './ground.ts';
import { operationInputs, startOperationInput } from './operation-input.ts';
import { showStatus } from './pure-input.ts';
import { damages, startDamage } from './row-input.ts';
import { applicationStatuses, startStatusInput } from './status-input.ts';
import { startSyncRunInput, syncRunSpecs } from './sync-run-input.ts';
import { told } from './texts.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 1);
const runs = Number(process.env['FUZZ_RUNS'] ?? 10);

/** So many inputs are tried at the same time, and share statements. */
const AT_ONCE = 4;

let ground: Ground;
beforeAll(async () => {
  ground = await startGround();
});
afterAll(() => ground.stop());

/** Each input is tried; then none of ours has been logged as an error, the halves are ready, and the bystander is served. */
const hold = async <T>(values: Arbitrary<T>, start: Kind<T>, count = runs): Promise<void> => {
  const inputs = fc.sample(values, { seed, numRuns: count }).entries();
  const failures: string[] = [];
  const work = async (): Promise<void> => {
    const attempt = await start(ground);
    for (const [index, input] of inputs) {
      try {
        await attempt(input);
      } catch (error) {
        failures.push(`input ${index}: ${told(input)}\n  ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, work));
  expect([...failures, ...ground.takeErrors()].join('\n')).toBe('');
  await ground.serveBystander();
};

describe(`inputs of seed ${seed}, ${runs} of each kind`, { timeout: 24 * 3_600_000 }, () => {
  it('statuses, in memory', () => hold(applicationStatuses, showStatus, runs * 10));
  it('deployments', () => hold(deploymentInputs, startDeploymentInput));
  it('sync runs', () => hold(syncRunSpecs, startSyncRunInput));
  it('operations', () => hold(operationInputs, startOperationInput));
  it('damaged rows', () => hold(damages, startDamage));
  it('statuses of Applications', () => hold(applicationStatuses, startStatusInput));
});
