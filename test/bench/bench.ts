// `npm run bench`: measures the service and prints what it found.
import { globSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/fault.ts';
import { startEmbeddedCluster } from './embedded-cluster.ts';
import { medians, type Figures } from './figures.ts';
import { openGivenCluster } from './given-cluster.ts';
import { helpText, readOptions, type BenchOptions } from './options.ts';
import { judge, verdictTable } from './promises.ts';
import { startRealCluster } from './real-cluster.ts';
import { runScenarios } from './run.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { startPostgresql } from './service-database.ts';
import { comparisonTable, figuresTable } from './table.ts';
import { checkOut, ownTree, type Version } from './version.ts';
import { inWorld } from './world.ts';

/** The figures of one version. */
interface Measured {
  readonly version: string;
  readonly median: Figures;
  readonly runs: readonly Figures[];
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (line: string): void => void process.stderr.write(`… ${line}\n`);

const stopSignal = (): AbortSignal => {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  return stopping.signal;
};

/** Every version in turn, and that as often as there are runs: whatever the machine does besides meets them alike. */
const measure = async (
  options: BenchOptions,
  { folder, signal }: { readonly folder: string; readonly signal: AbortSignal },
): Promise<readonly Measured[]> => {
  await using stack = new AsyncDisposableStack();
  const versions: Version[] = [options.tree ? { label: options.tree, root: options.tree } : ownTree];
  if (options.against) versions.push(stack.use(await checkOut(options.against, { folder, signal, say })));
  const postgresql = stack.use(await startPostgresql());
  const measured = versions.map(({ label, root }) => ({ version: label, root, runs: new Array<Figures>() }));
  for (let run = 1; run <= options.runs; run += 1) {
    for (const [index, { version, root, runs }] of measured.entries()) {
      say(`run ${run} of ${options.runs}: ${version}`);
      const place = join(folder, `${run}-${index}`);
      const startCluster = (onEnd: (error: Error) => void) => {
        if (options.real) return startRealCluster({ signal, say });
        if (options.kubeconfig) return openGivenCluster(options.kubeconfig, signal);
        return startEmbeddedCluster({ folder: place, onEnd });
      };
      const world = { postgresql, startCluster, root, folder: place, signal };
      runs.push(await inWorld(world, (ready) => runScenarios(ready, { ...options, load: options, say })));
    }
  }
  return measured.map(({ version, runs }) => ({ version, median: medians(runs), runs }));
};

const report = async (options: BenchOptions, measured: readonly Measured[]): Promise<boolean> => {
  const [mine, other] = measured;
  const verdicts = judge(mine?.median ?? {});
  if (mine && other) print(comparisonTable(mine, other));
  else if (mine) print(figuresTable(mine.median, mine.runs));
  if (verdicts.length > 0) print(`\n${verdictTable(verdicts)}`);
  const machine = { cpus: availableParallelism(), load: loadavg()[2] };
  print(`\n${machine.cpus} processors, with a load of ${machine.load?.toFixed(1)} in the last 15 minutes.`);
  if (options.json) {
    const { scenarios: chosen, ...settings } = options;
    const content = {
      settings: { ...settings, scenarios: chosen.map(({ name }) => name) },
      machine,
      measured,
      verdicts,
    };
    await writeFile(options.json, `${JSON.stringify(content, undefined, 2)}\n`);
  }
  return verdicts.every(({ holds }) => holds);
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2), scenarios);
  if (!options) return print(helpText(scenarios));
  const folder = await mkdtemp(join(tmpdir(), 'managed-gitops-bench-'));
  const signal = stopSignal();
  let keepsLogs = false;
  try {
    if (options.json) await writeFile(options.json, ''); // better refused now than when all is done
    const kept = await report(options, await measure(options, { folder, signal }));
    if (options.check && !kept) process.exitCode = 1;
  } catch (error) {
    keepsLogs = !signal.aborted && globSync('**/*.log', { cwd: folder }).length > 0;
    if (keepsLogs) say(`the logs are in ${folder}`);
    throw error;
  } finally {
    if (!keepsLogs) await rm(folder, { recursive: true, force: true });
  }
};

try {
  await main();
} catch (error) {
  const expected = error instanceof Error && ['Error', 'Fault', 'ApiError'].includes(error.name);
  process.stderr.write(`bench: ${expected || !(error instanceof Error) ? messageOf(error) : error.stack}\n`); // a defect's stack helps
  process.exitCode = 1;
}
