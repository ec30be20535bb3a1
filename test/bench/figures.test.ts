import { describe, expect, it } from 'vitest';
import { median, medians, percentile } from './figures.ts';
import { helpText, readOptions } from './options.ts';
import { judge, verdictTable } from './promises.ts';
import { requestName } from './request-name.ts';
import { scenarios } from './scenarios/scenarios.ts';
import { createSights } from './sights.ts';
import { createSlots } from './slots.ts';
import { comparisonTable } from './table.ts';

describe('figures', () => {
  it('are ranks of the samples, in whatever order those came', () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.9, 0.99, 1].map((share) => percentile(samples, share))).toEqual([50, 90, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });

  it('of several runs become the middle one, or the middle of two', () => {
    expect(median([9, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 9])).toBe(3);
    expect(medians([{ a: 1, b: 5 }, { a: 3 }])).toEqual({ a: 2, b: 5 });
  });

  it('of two versions stand beside each other with their ratio', () => {
    const table = comparisonTable({ version: 'this', median: { a: 30 } }, { version: 'v1', median: { a: 20, b: 1 } });
    expect(table.split('\n').map((line) => line.split(/ +/))).toEqual([
      ['figure', 'this', 'v1', 'ratio'],
      ['a', '30.0', '20.0', '1.50'],
      ['b', '-', '1.00', '-'],
    ]);
  });
});

describe('promises', () => {
  it('are judged where there are figures for them', () => {
    const verdicts = judge({ 'burst.sqlPerDeployment': 6, 'noisy.ratio.p99': 2.1, 'idle.sqlPerSecond': NaN });
    expect(verdicts.map(({ figure, holds }) => [figure, holds])).toEqual([
      ['burst.sqlPerDeployment', true],
      ['noisy.ratio.p99', false],
    ]);
    expect(verdictTable(verdicts)).toMatch(/noisy\.ratio\.p99 +2\.10 +2\.00 +NO$/);
  });

  it('allow five floors where that is more than 100 ms', () => {
    const boundOf = (floor: number) => judge({ 'floor.p50Ms': floor, 'steady.application.p99Ms': 1 })[0]?.atMost;
    expect([boundOf(3), boundOf(30)]).toEqual([100, 150]);
  });
});

describe('requests', () => {
  it.each([
    ['POST', '/api/v1/namespaces', 'create namespaces'],
    ['GET', '/api/v1/namespaces/team', 'get namespaces'],
    ['GET', '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications', 'list applications'],
    ['GET', '/apis/argoproj.io/v1alpha1/applications?watch=true', 'watch applications'],
    ['PATCH', '/apis/a/v1/namespaces/team/gitopsdeployments/app/status', 'patch gitopsdeployments/status'],
    ['PUT', '/apis/coordination.k8s.io/v1/namespaces/argocd/leases/agent', 'update leases'],
    ['GET', '/healthz', 'GET /healthz'],
  ])('%s %s is called %s', (method, target, name) => {
    expect(requestName(method, target)).toBe(name);
  });
});

describe('the command line', () => {
  const read = (...args: string[]) => readOptions(args, scenarios);

  it('has defaults: all scenarios but the long one, at the size that is promised for', () => {
    const options = read();
    expect(options).toMatchObject({ deployments: 582, namespaces: 291, rate: 20, runs: 1 });
    expect(options?.scenarios.map(({ name }) => name)).toEqual(
      scenarios.map(({ name }) => name).filter((name) => name !== 'scale'),
    );
    expect(read('--scenario', 'delete,steady')?.scenarios.map(({ name }) => name)).toEqual(['delete', 'steady']);
  });

  it.each([
    { args: ['--speed', '1'], says: /^Unknown option '--speed'$/ },
    { args: ['--namespaces', '9', '--deployments', '3'], says: /^--namespaces must be at most --deployments$/ },
    { args: ['--scenario', 'steady,fast'], says: /^--scenario must be of steady, .*, not "fast"$/ },
    { args: ['--for', 'long'], says: /^--for must be a duration such as .*, not "long"$/ },
  ])('says in one line what is wrong with $args', ({ args, says }) => {
    expect(() => read(...args)).toThrow(says);
  });

  it('is explained, with every scenario and with examples', () => {
    expect(read('--help')).toBeUndefined();
    const text = helpText(scenarios);
    for (const { name } of scenarios) expect(text).toMatch(new RegExp(`^  ${name} {3}`, 'm'));
    expect(text).toMatch(/^  --deployments <n> .* Default: 582\.$/m);
    expect(text).toContain('npm run bench -- --scenario steady ');
  });
});

describe('sights', () => {
  it('of a later version stand for the earlier ones, also for who waits only then', async () => {
    const sights = createSights(new AbortController().signal);
    const waiting = sights.seen({ of: 'a', version: 1 });
    sights.see({ of: 'b', version: 9 });
    sights.see({ of: 'a', version: 2 });
    const atMs = await waiting;
    expect(await sights.seen({ of: 'a', version: 2 })).toBe(atMs);
  });

  it('are given up when the bench stops', async () => {
    const stopping = new AbortController();
    const waiting = createSights(stopping.signal).seen({ of: 'a', version: 1 });
    stopping.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
  });
});

describe('slots', () => {
  it('let so many run at once, in order, also after one has failed', async () => {
    const slots = createSlots(2);
    const begun: number[] = [];
    const ends = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
    const runs = ends.map((end, index) =>
      slots(() => {
        begun.push(index);
        return end.promise;
      }),
    );
    await Promise.resolve();
    expect(begun).toEqual([0, 1]);
    ends[1]?.reject(new Error('no'));
    await expect(runs[1]).rejects.toThrow('no');
    for (const index of [0, 2, 3]) ends[index]?.resolve();
    await Promise.all([runs[0], runs[2], runs[3]]);
    expect(begun).toEqual([0, 1, 2, 3]);
  });
});
