import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep, systemClock } from '../../src/lib/clock.ts';
import { trackOpenHandles, type OpenHandles } from './open-handles.ts';

let handles: OpenHandles;
beforeEach(() => {
  handles = trackOpenHandles();
});
afterEach(() => handles.stop());

const here = expect.stringContaining('test/kit/open-handles.test.ts');

describe('the account of open handles', () => {
  it('names a timer and who set it, until it is cancelled', () => {
    const timer = systemClock.after(60_000, () => {});
    expect(handles.list()).toEqual([
      expect.stringMatching(/^a timer, src\/lib\/clock\.ts:\d+ < .*test\/kit\/open-handles\.test\.ts/),
    ]);
    timer.cancel();
    expect(handles.list()).toEqual([]);
  });

  it('forgets a timer that has fired', async () => {
    await sleep(systemClock, 1);
    expect(handles.list()).toEqual([]);
  });

  it('names an interval until it is cleared', () => {
    const timer = setInterval(() => {}, 60_000);
    expect(handles.list()).toEqual([here]);
    clearInterval(timer);
    expect(handles.list()).toEqual([]);
  });

  it('names a server and both ends of a connection until they are closed', async () => {
    const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo; // it listens on TCP
    const socket = connect(port, '127.0.0.1');
    await once(server, 'connection');
    expect(handles.list().map((line) => line.split(',')[0])).toEqual(['a server', 'a socket', 'a socket']);
    socket.end();
    server.close();
    await once(server, 'close');
    await once(socket, 'close');
    expect(handles.list()).toEqual([]);
  });

  it('names a child process until it has ended', async () => {
    const child = spawn('cat');
    expect(handles.list()).toEqual([here]);
    child.kill();
    await once(child, 'exit');
    await once(spawn('/no/such/program'), 'error');
    expect(handles.list()).toEqual([]);
  });
});
