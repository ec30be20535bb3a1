// Starts everything once for a run of the suite: what the service stands on, and the service on it.
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { say, startGround, versionOf } from './ground.ts';
import { seedOf, startKiller } from './killer.ts';
import { createKubectl } from './kubectl.ts';
import { writeReport } from './report.ts';
import { startService } from './service.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts what is needed; what it returns stops it again and writes the report. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { env } = process;
  const argoCd = versionOf(env['E2E_ARGO_CD']);
  const seed = seedOf(env['E2E_KILL']);
  await using stack = new AsyncDisposableStack();
  const { run, programs } = await startGround(stack, env);
  const { kubeconfig, databaseUrl, records } = run;

  say('starting the service');
  const service = await startService({
    root,
    programs,
    kubectl: createKubectl(kubeconfig),
    kubeconfig,
    databaseUrl,
    flags: { backend: [], agent: [] },
  });
  const killer = startKiller(service, { seed, say });
  stack.defer(killer.stop);
  project.provide('endToEnd', run);
  const running = stack.move();
  return async () => {
    try {
      await killer.stop();
      await writeReport({ records, root, argoCd, kills: service.kills, seed, fallen: programs.fallen() });
    } finally {
      await running.disposeAsync();
    }
  };
};
