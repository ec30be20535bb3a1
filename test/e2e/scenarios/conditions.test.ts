import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from 'vitest';
import { conditionOf } from '../../kit/deployments.ts';
import { hasError, isDone, troubles } from '../looks.ts';
import { configMap, scenario } from '../scenario.ts';

describe('a deployment that can not be deployed', () => {
  scenario('a wrong path', async ({ team, step }) => {
    const one = await team();
    await one.repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    await one.create({ path: 'no-such-folder' });
    const told = await step('the error is told', () => hasError(one, /no-such-folder: app path does not exist/));
    expect(conditionOf(told, 'Ready')?.status).toBe('False');
    await one.patch('app', { spec: { source: { path: 'app' } } });
    const mended = await step('mended', () => isDone(one, { path: 'app' }));
    expect(troubles(mended)).toEqual([]);
  });

  scenario('a wrong repository', async ({ team, step }) => {
    const one = await team();
    await one.create({ repoURL: one.repository.url.replace(/[^/]*\.git$/, 'no-such-repository.git') });
    await step('the error is told', () => hasError(one, /repository not found/i));
  });

  scenario('a Git host that can not be reached', async ({ team, step }) => {
    const one = await team();
    await one.create({ repoURL: 'http://127.0.0.1:1/team/repository.git' });
    await step('the error is told', () => hasError(one, /connection refused/));
  });

  scenario('a repository that is refused', async ({ team, step }) => {
    const server = createServer((_request, response) => {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
      const one = await team();
      await one.create({ repoURL: `http://127.0.0.1:${port}/team/private.git` });
      await step('the error is told', () => hasError(one, /authentication required/));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
