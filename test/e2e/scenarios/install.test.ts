import { fileURLToPath } from 'node:url';
import { describe, expect, inject } from 'vitest';
import { runPage } from '../install-page.ts';
import { configMap, scenario } from '../scenario.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { kubeconfig } = inject('endToEnd');

describe('docs/install.md', () => {
  scenario('the first deployment of the installation page', async ({ team, step }) => {
    const { repository } = await team();
    await repository.commit({ 'app/map.yaml': configMap('map', { a: 'one' }) });
    const environment = { ...process.env, KUBECONFIG: kubeconfig, REPOSITORY: repository.url };
    const printed = await step('all its commands have run', () => runPage(root, 'A first deployment', environment));
    expect(printed).toMatch(/condition met/);
    expect(printed).toMatch(/^app .*Synced.*Healthy/m);
  });
});
