import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import type { Address } from './config.ts';
import { createMetrics } from './metrics.ts';
import { createProbes, type Probes } from './probes.ts';

const anyPort: Address = { host: '127.0.0.1', port: 0, off: false };
const off: Address = { host: '', port: 0, off: true };
const running: Probes[] = [];
afterEach(() => Promise.all(running.splice(0).map((probes) => probes.stop())));

const create = (health: Address, metricsAddress: Address = off) => {
  const metrics = createMetrics();
  const { log, lines } = capturedLog();
  const probes = createProbes({ health, metricsAddress, metrics, log });
  running.push(probes);
  const get = async (path: string, which: 'health' | 'metrics' = 'health') => {
    const response = await fetch(`http://127.0.0.1:${probes.ports[which]}${path}`);
    return { code: response.status, body: await response.text() };
  };
  return { probes, metrics, lines, get };
};
/** Sends a line as it is, which no client would, and returns the first line of the answer. */
const sendRaw = (port: number, line: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(`${line}\r\nhost: x\r\nconnection: close\r\n\r\n`));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer.split('\r\n', 1)[0] ?? ''));
  });

describe('probes', () => {
  it('say that the process lives, and what it waits for until it is ready', async () => {
    const { probes, get } = create(anyPort);
    let database: string | undefined = 'it does not answer';
    probes.check('database', () => database);
    probes.check('caches', () => undefined);
    await probes.start();
    expect(await get('/healthz')).toEqual({ code: 200, body: 'ok\n' });
    expect(await get('/readyz')).toEqual({ code: 503, body: 'database: it does not answer\n' });
    database = undefined;
    expect(await get('/readyz?verbose')).toEqual({ code: 200, body: 'ok\n' });
  });

  it('serve metrics, on a listener of its own when it has an address of its own', async () => {
    const { probes, metrics, get } = create(anyPort, anyPort);
    metrics.gauge({ name: 'level', help: 'Level' }).set(5);
    await probes.start();
    expect(probes.ports.metrics).not.toBe(probes.ports.health);
    expect((await get('/metrics', 'metrics')).body).toContain('level 5\n');
  });

  it('share one listener when both addresses are the same', async () => {
    const { probes: first } = create(anyPort);
    await first.start();
    const address = { ...anyPort, port: first.ports.health ?? 0 };
    await first.stop();
    const { probes, get } = create(address, address);
    await probes.start();
    expect(probes.ports).toEqual({ health: address.port, metrics: address.port });
    expect((await get('/metrics', 'metrics')).code).toBe(200);
  });

  it('open nothing when turned off', async () => {
    const { probes } = create(off);
    await probes.start();
    expect(probes.ports).toEqual({});
  });

  it('name the address that they can not have', async () => {
    const { probes: first } = create(anyPort);
    await first.start();
    const { probes } = create({ ...anyPort, port: first.ports.health ?? 0 });
    await expect(probes.start()).rejects.toMatchObject({
      kind: 'user',
      reason: 'PortInUse',
      message: expect.stringContaining(`the health probe can't listen on 127.0.0.1:${first.ports.health}`),
    });
  });

  it('outlive whatever is asked of them', async () => {
    const { probes, lines, get } = create(anyPort);
    probes.check('broken', () => {
      throw new Error('no idea');
    });
    await probes.start();
    const { health = 0 } = probes.ports;
    expect(await sendRaw(health, 'GET // HTTP/1.1')).toMatch(/ 404 /);
    expect(await sendRaw(health, 'GET http://[ HTTP/1.1')).toMatch(/ 404 /);
    expect(await sendRaw(health, 'nonsense')).toMatch(/ 400 /);
    expect(await get('/readyz')).toEqual({ code: 500, body: 'internal error\n' });
    expect(lines.at(-1)).toMatchObject({ level: 'error', err: { message: 'no idea' } });
    expect((await get('/healthz')).code).toBe(200);
  });

  it('leave no listener open when stopped while they start', async () => {
    const { probes, get } = create({ ...anyPort, host: 'localhost' });
    const started = probes.start();
    await probes.stop();
    await started;
    await expect(get('/healthz')).rejects.toThrow('fetch failed');
  });
});
