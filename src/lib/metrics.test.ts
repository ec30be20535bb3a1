import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

describe('metrics', () => {
  it('are told in the text format of Prometheus', async () => {
    const metrics = createMetrics();
    const labels = ['kind'];
    metrics.counter({ name: 'things_total', help: 'Things', labels }).add({ kind: 'x' }, 2);
    metrics.gauge({ name: 'level', help: 'Level' }).set(5);
    metrics.histogram({ name: 'wait_seconds', help: 'Wait', buckets: [1, 2] }).observe(1.5);
    const text = await metrics.text();
    expect(text).toContain('# TYPE things_total counter\nthings_total{kind="x"} 2\n');
    expect(text).toContain('level 5\n');
    expect(text).toContain('wait_seconds_bucket{le="1"} 0\nwait_seconds_bucket{le="2"} 1\n');
  });

  it('give one metric to all who ask for its name', async () => {
    const metrics = createMetrics();
    const ask = () => metrics.gauge({ name: 'level', help: 'Level' });
    ask().add(1);
    ask().add(2);
    expect(await metrics.text()).toContain('level 3\n');
  });

  it('show a counter without labels from the beginning', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'things_total', help: 'Things' });
    expect(await metrics.text()).toContain('things_total 0\n');
  });

  it('are brought up to date before each reading, until told otherwise', async () => {
    const metrics = createMetrics();
    const gauge = metrics.gauge({ name: 'readings', help: 'Readings' });
    const update = (): void => gauge.add(1);
    const ends = [metrics.beforeScrape(update), metrics.beforeScrape(update)];
    expect(await metrics.text()).toContain('readings 2\n');
    ends[0]?.();
    expect(await metrics.text()).toContain('readings 3\n');
    ends[1]?.();
    expect(await metrics.text()).toContain('readings 3\n');
  });

  it('of the process are there when asked for', async () => {
    expect(await createMetrics().text()).not.toContain('process_');
  });
});
