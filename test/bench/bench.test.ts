import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, run, temporaryFolder, type Running } from '../processes/command.ts';

interface Output {
  readonly measured: readonly { readonly version: string; readonly median: Record<string, number> }[];
  readonly verdicts: readonly { readonly figure: string; readonly holds: boolean }[];
}

const bench = (folder: string, args: readonly string[]): Running =>
  run(process.execPath, [join(root, 'test/bench/bench.ts'), ...args], { folder, environment: { TMPDIR: folder } });

const tiny = ['--deployments=6', '--namespaces=3', '--rate=20', '--for=500ms', '--statistics-wait=1ms'];

describe.concurrent('the bench', { timeout: 120_000 }, () => {
  it('counts what it has made, prints every figure, and leaves nothing', async () => {
    await using place = await temporaryFolder();
    const file = join(place.path, 'figures.json');
    await using running = bench(place.path, [...tiny, '--scenario=steady,status,delete', `--json=${file}`]);
    const { code, out, errors } = await running.whenEnded;
    expect({ code, errors }).toMatchObject({ code: 0 });

    const { measured, verdicts }: Output = JSON.parse(await readFile(file, 'utf8'));
    const figures = measured[0]?.median ?? {};
    expect(figures).toMatchObject({
      'steady.created': 6,
      'steady.api.create applications': 1,
      'steady.api.create appprojects': 0.5,
      'status.reported': 10,
      'delete.deleted': 6,
      'delete.left': 0,
    });
    const ranks = ['p50Ms', 'p90Ms', 'p99Ms'];
    const latencies = ['floor', 'steady.application', 'steady.status', 'status.status', 'delete.gone'];
    const wanted = [
      ...latencies.flatMap((name) => ranks.map((rank) => `${name}.${rank}`)),
      ...['p50', 'p90', 'p99'].map((rank) => `steady.application.${rank}Floors`),
      ...['steady', 'status', 'delete'].flatMap((name) => [`${name}.sql.asked`, `${name}.apiPerDeployment`]),
      'steady.perSecond',
    ];
    for (const name of wanted) expect(figures, name).toHaveProperty([name], expect.toSatisfy(isPositive));
    for (const name of Object.keys(figures)) expect(out).toContain(`\n${name} `);
    expect(verdicts.map(({ figure }) => figure)).toContain('steady.application.p99Ms');
    expect(out).toMatch(/^promise .* holds$/m);
    expect(await readdir(place.path)).toEqual(['figures.json']);
  });

  it('stops what it has started when it is interrupted', async () => {
    await using place = await temporaryFolder();
    await using running = bench(place.path, [...tiny, '--scenario=idle']);
    await running.says('… warm-up', 100_000); // by then everything runs
    running.kill('SIGINT');
    expect(await running.whenEnded).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/bench: stopped by SIGINT\n$/),
    });
    expect(await readdir(place.path)).toEqual([]);
  });

  it.each([
    { args: ['--rate', 'x'], says: '--rate must be a whole number from 1 to 1000000, not "x"' },
    { args: ['--kubeconfig', 'nowhere'], says: expect.stringMatching(/^--kubeconfig nowhere: ENOENT/) },
    { args: ['--against', 'nowhere'], says: '--against nowhere: invalid reference: nowhere' },
  ])('says in one line what is wrong with $args', async ({ args, says }) => {
    await using place = await temporaryFolder();
    await using running = bench(place.path, args);
    const { code, out, errors } = await running.whenEnded;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    const lines = errors.trimEnd().split('\n');
    expect(lines.at(-1)?.replace('bench: ', '')).toEqual(says);
    expect(lines.filter((line) => !line.startsWith('…'))).toHaveLength(1);
  });
});

const isPositive = (value: unknown): boolean => typeof value === 'number' && value > 0;
