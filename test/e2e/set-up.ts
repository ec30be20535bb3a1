// Starts everything once for a run of the suite: what the service stands on, and the service on it.
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { trustAuthority } from './argo-cd.ts';
import { say, startElsewhere, startGround, versionOf, type EndToEndRun } from './ground.ts';
import { seedOf, startKiller } from './killer.ts';
import { createKubectl } from './kubectl.ts';
import { writeReport } from './report.ts';
import { startService } from './service.ts';
import { prepareWebhooks } from './webhooks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** All that is asked is on loopback here, and has certificates and keys that nobody else knows. */
const outsideFlags = ({ privateGit }: EndToEndRun): string[] => [
  '--allowed-addresses=127.0.0.0/8',
  '--recheck=5s', // what is mended on another cluster or a Git server is seen by asking again
  ...(privateGit ? [`--git-ca-file=${privateGit.caFile}`, `--git-known-hosts=${privateGit.knownHostsFile}`] : []),
];

/** Starts what is needed; what it returns stops it again and writes the report. */
export const setup = async (project: TestProject): Promise<() => Promise<void>> => {
  const { env } = process;
  const argoCd = versionOf(env['E2E_ARGO_CD']);
  const seed = seedOf(env['E2E_KILL']);
  await using stack = new AsyncDisposableStack();
  const { run, programs } = await startGround(stack, env);
  const { kubeconfig, databaseUrl, records, privateGit } = run;
  // A cluster that was there before can't reach another one, nor webhooks, on loopback of this machine.
  const other = privateGit && (await startElsewhere(stack, env));
  const authorities = other && (await trustAuthority(programs, other.ca));
  const { webhooks, flags } = await prepareWebhooks(programs);

  say('starting the service');
  const service = await startService({
    root,
    programs,
    kubectl: createKubectl(kubeconfig),
    kubeconfig,
    databaseUrl,
    flags: { backend: [...flags, ...outsideFlags(run)], agent: [] },
    environment: authorities === undefined ? {} : { NODE_EXTRA_CA_CERTS: authorities },
  });
  const killer = startKiller(service, { seed, say });
  stack.defer(killer.stop);
  project.provide('endToEnd', { ...run, ...(other && { elsewhere: other.elsewhere, webhooks }) });
  const running = stack.move();
  return async () => {
    try {
      await killer.stop();
      await writeReport({
        records,
        root,
        argoCd,
        kills: service.kills,
        seed,
        fallen: programs.fallen() ?? other?.programs.fallen(),
      });
    } finally {
      await running.disposeAsync();
    }
  };
};
