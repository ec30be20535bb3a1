// Runs last: it looks at what the other scenarios made the service ask for.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, it } from 'vitest';
import { kubectl } from '../scenario.ts';
import { requestsOf, rightsIn, type Right, type Rule } from '../rights.ts';
import { halves, type Half } from '../service.ts';

const { auditLog } = inject('endToEnd');

/** An API server that streams the first list of a watch is not asked for the list itself; older ones are. */
const lists = (resources: readonly string[]): Readonly<Record<Right, string>> =>
  Object.fromEntries(resources.map((resource) => [`list ${resource}`, 'API servers without streaming lists']));

/** What is needed, and why the suite need not come by it. */
const seldom: Readonly<Record<Half, Readonly<Record<Right, string>>>> = {
  backend: {
    ...lists(['namespaces', 'gitopsdeployments.managed-gitops.redhat.com']),
    ...lists(['gitopsdeploymentsyncruns.managed-gitops.redhat.com', 'secrets']),
    ...lists(['gitopsdeploymentmanagedenvironments.managed-gitops.redhat.com']),
    ...lists(['gitopsdeploymentrepositorycredentials.managed-gitops.redhat.com']),
    'patch operations.managed-gitops.redhat.com': 'shows an Operation again that nobody has taken for 15 s',
  },
  agent: {
    ...lists(['operations.managed-gitops.redhat.com', 'appprojects.argoproj.io']),
    'get appprojects.argoproj.io': 'looks live where its cache may lag',
    'get argocds.argoproj.io': 'clusters with the Argo CD operator',
    'create argocds.argoproj.io': 'clusters with the Argo CD operator',
    'patch argocds.argoproj.io': 'clusters with the Argo CD operator',
  },
};

const rulesOf = async (half: Half): Promise<Rule[]> => {
  const listed = await kubectl(['get', 'clusterroles,roles', '--all-namespaces', '-o', 'json']);
  const { items } = JSON.parse(listed) as { items: { metadata: { name: string }; rules: Rule[] | null }[] }; // kubectl's own format
  return items.filter(({ metadata }) => metadata.name === `managed-gitops-${half}`).flatMap(({ rules }) => rules ?? []);
};

// A cluster that was there before keeps its audit log to itself.
describe.skipIf(auditLog === undefined)('the rights in deploy/manifests', () => {
  it.each(halves)('are those that the %s uses: nothing is missing, and nothing to spare', async (half) => {
    const { granted, refused } = requestsOf(auditLog ?? '', `system:serviceaccount:gitops:managed-gitops-${half}`);
    const spare = [...rightsIn(await rulesOf(half))].filter((right) => !granted.has(right) && !(right in seldom[half]));
    expect([...refused]).toEqual([]);
    expect(spare).toEqual([]);
  });
});

describe('scenarios.md', () => {
  it('lists what has run', () => {
    const listed = readFileSync(fileURLToPath(new URL('../scenarios.md', import.meta.url)), 'utf8');
    const names = [...listed.matchAll(/^- (.+)$/gm)].map(([, name]) => name);
    const { records } = inject('endToEnd');
    const ran = readdirSync(records).map(
      (file) => (JSON.parse(readFileSync(`${records}/${file}`, 'utf8')) as { name: string }).name, // written by the scenarios
    );
    // On a cluster that was there before, some have no ground to stand on.
    expect(new Set(auditLog === undefined ? [...names, ...ran] : ran)).toEqual(new Set(names));
  });
});
