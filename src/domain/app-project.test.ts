import { describe, expect, it } from 'vitest';
import {
  coveringUses,
  desiredProject,
  isUnused,
  permissionsOf,
  permitsExactly,
  type ProjectRows,
} from './app-project.ts';

const rows = (more: Partial<ProjectRows> = {}): ProjectRows => ({
  userId: 'user',
  namespace: 'team',
  repositories: ['https://b', 'https://a', 'https://b'],
  environments: [],
  ...more,
});
const use = (repoURL: string, name = 'in-cluster', namespace = 'team') => ({
  project: 'app-project-user',
  source: { repoURL, path: 'app' },
  destination: { name, namespace },
});
const own = { name: 'in-cluster', namespace: 'team' };

describe("a tenant's project", () => {
  it("permits its repositories once each, its environments in their order, and last its own namespace of Argo CD's cluster", () => {
    expect(permissionsOf(rows({ environments: ['2', '1', '2'] }), true)).toEqual({
      sourceRepos: ['https://a', 'https://b'],
      destinations: [{ name: 'managed-env-2', namespace: '*' }, { name: 'managed-env-1', namespace: '*' }, own],
    });
  });

  it('permits a repository that is reached by ssh at a port in the form in which Argo CD keeps the port', () => {
    const urls = ['git@host/team/app', 'git@host:2222/team/app', 'https://host:8443/team/app'];
    const sourceRepos = ['git@host/team/app', 'https://host:8443/team/app', 'ssh://git@host:2222/team/app'];
    expect(permissionsOf(rows({ repositories: urls }), true).sourceRepos).toEqual(sourceRepos);
    const none = { sourceRepos: [], destinations: [own] };
    expect(coveringUses(none, [use('ssh://git@host:2222/team/app.git')]).sourceRepos).toEqual([sourceRepos[2]]);
  });

  it('permits every namespace there where that is not restricted', () => {
    const all = [{ name: 'in-cluster', namespace: '*' }];
    expect(permissionsOf(rows(), false).destinations).toEqual(all);
    expect(permissionsOf(rows({ namespace: null }), false).destinations).toEqual(all);
  });

  it('permits none there where only the own one is permitted, and that is not known', () => {
    expect(permissionsOf(rows({ namespace: null }), true).destinations).toEqual([]);
    expect(permissionsOf(rows({ namespace: '' }), true).destinations).toEqual([]);
    const used = coveringUses(permissionsOf(rows({ namespace: null }), true), [use('https://a')]);
    expect(used.destinations, 'what is in use stays').toEqual([own]);
  });

  it('is unused without repositories and environments', () => {
    expect(isUnused(rows({ repositories: [] }))).toBe(true);
    expect(isUnused(rows({ repositories: [], environments: ['1'] }))).toBe(false);
    expect(isUnused(rows())).toBe(false);
  });

  it('covers what present Applications use, under the key of the repository, once', () => {
    const narrow = { sourceRepos: ['https://a'], destinations: [own] };
    const uses = [
      use('https://A.git'),
      use('https://Old/repo.git', 'managed-env-9', 'web'),
      use('https://a', 'managed-env-9', 'web'),
    ];
    expect(coveringUses(narrow, uses)).toEqual({
      sourceRepos: ['https://a', 'https://old/repo'],
      destinations: [{ name: 'managed-env-9', namespace: 'web' }, own],
    });
  });

  it('needs nothing more for a destination whose every namespace is permitted', () => {
    const wide = { sourceRepos: ['https://a'], destinations: [{ name: 'managed-env-9', namespace: '*' }] };
    expect(coveringUses(wide, [use('https://a', 'managed-env-9', 'web')])).toEqual(wide);
  });

  it('is right in whatever order, and wrong with one entry more, less or other', () => {
    const permissions = permissionsOf(rows(), true);
    const project = desiredProject('argocd', 'user', permissions);
    const changed = (spec: Partial<typeof project.spec>) => ({ ...project, spec: { ...project.spec, ...spec } });
    expect(permitsExactly(project, permissions)).toBe(true);
    expect(permitsExactly(changed({ sourceRepos: ['https://b', 'https://a'] }), permissions)).toBe(true);
    expect(permitsExactly(changed({ sourceRepos: ['https://a'] }), permissions)).toBe(false);
    expect(permitsExactly(changed({ sourceRepos: ['https://a', 'https://c'] }), permissions)).toBe(false);
    expect(permitsExactly(changed({ sourceRepos: ['https://a', 'https://a'] }), permissions), 'twice').toBe(false);
    expect(permitsExactly(changed({ destinations: [{ ...own, server: 'https://elsewhere' }] }), permissions)).toBe(
      false,
    );
    expect(permitsExactly(changed({ destinations: [] }), permissions)).toBe(false);
  });

  it('is named after the tenant, and says whose it is', () => {
    const { metadata } = desiredProject('argocd', 'user', permissionsOf(rows(), true));
    expect(metadata).toEqual({ name: 'app-project-user', namespace: 'argocd', annotations: { username: 'user' } });
  });
});
