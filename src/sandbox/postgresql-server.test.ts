// The race for a port, which only a port in use can show.
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import { startDatabase } from './database.ts';
import { findPostgresql } from './postgresql-programs.ts';
import { startServer, type Cluster } from './postgresql-server.ts';

const portInUse = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port; // it listens on TCP
};

/** Data files that a database left behind, ready for a server. */
const clusterAtRest = async (): Promise<Cluster> => {
  const directory = await mkdtemp('/tmp/managed-gitops-test-');
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const made = await startDatabase({ clock: systemClock, random: systemRandom, directory });
  await made.stop();
  const programs = await findPostgresql({ copyTo: join(directory, 'programs') });
  const { uid, gid } = await stat(join(directory, 'data'));
  const account = process.getuid?.() === 0 ? { uid, gid } : undefined;
  return { programs, account, data: join(directory, 'data'), temporary: directory, settings: {} };
};

it('takes another port when somebody was faster, and keeps the data for it', async () => {
  const busy = await portInUse();
  let asked = 0;
  const pickPort = async (): Promise<number> => {
    asked += 1;
    if (asked === 1) return busy;
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo; // it listens on TCP
    free.close();
    return port;
  };
  const server = await startServer(await clusterAtRest(), { clock: systemClock, pickPort });
  onTestFinished(server.stop);
  expect(asked).toBe(2);
  expect(server.port).not.toBe(busy);
});
