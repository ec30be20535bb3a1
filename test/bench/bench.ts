// `npm run bench`: measures the service and prints what it found.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../src/lib/fault.ts';
import { startEmbeddedCluster } from './embedded-cluster.ts';
import { medians, type Figures } from './figures.ts';
import { helpText, readOptions, type BenchOptions } from './options.ts';
import { runScenarios } from './run.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { startPostgresql } from './service-database.ts';
import { figuresTable } from './table.ts';
import { inWorld } from './world.ts';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (line: string): void => void process.stderr.write(`… ${line} (load ${loadavg()[0]?.toFixed(1)})\n`);

const ownTree = join(import.meta.dirname, '../..');

const measure = async (options: BenchOptions, folder: string, signal: AbortSignal): Promise<void> => {
  await using postgresql = await startPostgresql();
  const runs: Figures[] = [];
  for (let run = 1; run <= options.runs; run += 1) {
    say(`run ${run} of ${options.runs}`);
    const place = join(folder, `run-${run}`);
    const startCluster = (onEnd: (error: Error) => void) =>
      startEmbeddedCluster({ logFile: join(folder, `api-server-${run}.log`), onEnd });
    runs.push(
      await inWorld({ postgresql, startCluster, root: options.tree || ownTree, folder: place, signal }, (world) =>
        runScenarios(world, { ...options, load: options, say }),
      ),
    );
  }
  const median = medians(runs);
  print(figuresTable(median, runs));
  if (options.json) await writeFile(options.json, `${JSON.stringify({ median, runs }, undefined, 2)}\n`);
};

const stopSignal = (): AbortSignal => {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stopping.abort(new Error(`stopped by ${name}`)));
  }
  return stopping.signal;
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2), scenarios);
  if (!options) return print(helpText(scenarios));
  const folder = await mkdtemp(join(tmpdir(), 'managed-gitops-bench-'));
  await measure(options, folder, stopSignal());
  await rm(folder, { recursive: true, force: true });
};

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${process.env['BENCH_DEBUG'] ? (error as Error).stack : messageOf(error)}\n`); // errors only
  process.exitCode = 1;
}
