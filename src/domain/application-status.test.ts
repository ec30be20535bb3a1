import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../lib/random.ts';
import type { ApplicationStatus } from '../api/argocd/application.ts';
import { emptyStatus, MAX_STORED_BYTES, readStatus, writeStatus } from './application-status.ts';

const comparedTo = (name: string) => ({
  source: { repoURL: 'https://github.com/org/repo', path: 'app' },
  destination: { name, namespace: 'team' },
});
const full: ApplicationStatus = {
  health: { status: 'Healthy' },
  sync: { status: 'Synced', revision: '012', comparedTo: comparedTo('in-cluster') },
  resources: [{ group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'team', name: 'web', status: 'Synced' }],
  conditions: [{ type: 'SyncError', message: 'no: way', lastTransitionTime: '2026-01-02T03:04:05Z' }],
  reconciledAt: '2026-01-02T03:04:05Z',
  operationState: {
    phase: 'Running',
    startedAt: '2026-01-02T03:04:05Z',
    retryCount: 2,
    operation: {
      sync: { revision: '012', syncStrategy: { hook: { force: true } } },
      info: [{ name: 'a', value: 'b' }],
      retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
    },
    syncResult: {
      revision: '012',
      source: { repoURL: 'https://github.com/org/repo', path: 'app' },
      managedNamespaceMetadata: { labels: { 'Mixed/Case': 'kept' }, annotations: {} },
    },
  },
};
const read = (text: string) => readStatus(gzipSync(text));

describe('a stored status', () => {
  it('comes back as it was reported', () => {
    const status = readStatus(writeStatus(full).bytes);
    expect(status).toMatchObject({
      health: { status: 'Healthy', message: '' },
      sync: { status: 'Synced', revision: '012', comparedTo: { destination: { name: 'in-cluster' } } },
      resources: [{ kind: 'Deployment', name: 'web', health: undefined }],
      conditions: full.conditions,
      operationState: {
        phase: 'Running',
        startedAt: '2026-01-02T03:04:05Z',
        finishedAt: undefined,
        retryCount: 2,
        operation: {
          sync: { revision: '012', syncStrategy: { hook: { syncStrategyApply: { force: true } } } },
          info: [{ name: 'a', value: 'b' }],
          retry: { limit: -1, backoff: { duration: '5s', factor: 2, maxDuration: '3m' } },
        },
        syncResult: { managedNamespaceMetadata: { labels: { 'Mixed/Case': 'kept' } } },
      },
    });
  });

  it('is the empty one where nothing was reported', () => {
    expect(readStatus(null)).toEqual(emptyStatus());
    expect(readStatus(writeStatus(undefined).bytes)).toEqual(emptyStatus());
  });

  it('has the same hash while nothing that anybody reads has changed', () => {
    const { hash } = writeStatus(full);
    expect(
      writeStatus({ ...full, reconciledAt: '2030-01-01T00:00:00Z', observedAt: '2030-01-01T00:00:00Z' }).hash,
    ).toBe(hash);
    expect(writeStatus({ ...full, health: { status: 'Degraded' } }).hash).not.toBe(hash);
  });

  it.each([
    ['in-cluster', 'in-cluster'],
    ['managed-env-1234', '1234'],
    ['somebody-elses', 'somebody-elses'],
  ])('names the destination %s as %s', (name, id) => {
    const status = readStatus(writeStatus({ sync: { status: 'Synced', comparedTo: comparedTo(name) } }).bytes);
    expect(status.sync.comparedTo.destination.name).toBe(id);
  });

  it('that is too large loses the results of the last sync first, and then its resources', () => {
    const random = seededRandom(7);
    const many = (count: number) =>
      Array.from({ length: count }, () => ({
        kind: 'ConfigMap',
        name: random.uuid(),
        namespace: 'team',
        status: 'Synced',
        group: '',
        version: 'v1',
      }));
    const operationState = {
      ...full.operationState,
      syncResult: { ...full.operationState?.syncResult, resources: many(12_000) },
    };
    const withResults = { ...full, resources: many(3), operationState } as ApplicationStatus; // the same fields, spread
    const once = writeStatus(withResults);
    expect(once.bytes.length).toBeLessThanOrEqual(MAX_STORED_BYTES);
    expect(readStatus(once.bytes).resources).toHaveLength(3);
    expect(readStatus(once.bytes).operationState?.syncResult?.resources).toEqual([]);
    const twice = writeStatus({ ...withResults, resources: many(12_000) });
    expect(twice.bytes.length).toBeLessThanOrEqual(MAX_STORED_BYTES);
    expect(readStatus(twice.bytes).resources).toEqual([]);
    expect(readStatus(twice.bytes).health.status).toBe('Healthy');
  });

  it('is written with every field, under lower-cased names', () => {
    const text = gunzipSync(writeStatus(full).bytes).toString();
    for (const line of [
      'repourl:',
      'targetrevision: ""',
      'lasttransitiontime: "2026',
      'finishedat: null',
      'dryrun: false',
    ]) {
      expect(text).toContain(line);
    }
  });

  it('is read with times as maps or texts, numbers as texts, and nulls as absent', () => {
    const status = read(`sync: {status: Synced, revision: 012}
resources: null
conditions: []
operationstate:
  phase: Succeeded
  startedat: {time: 2026-01-02T03:04:05Z}
  finishedat: "2026-01-02T03:04:06Z"
  retrycount: 3
  syncresult: null
`);
    expect(status.sync.revision).toBe('012');
    expect(status.resources).toEqual([]);
    expect(status.operationState).toMatchObject({
      startedAt: '2026-01-02T03:04:05Z',
      finishedAt: '2026-01-02T03:04:06Z',
      retryCount: 3,
      syncResult: undefined,
    });
  });

  it('that is damaged is an error, and so is one that would fill the memory', () => {
    expect(() => readStatus(Buffer.from('no gzip'))).toThrow('incorrect header check');
    expect(() => readStatus(gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toThrow('Cannot create a Buffer larger than');
  });

  it('is whatever can be read of a report that is no status', () => {
    const deep = JSON.parse(`${'{"sync":'.repeat(20_000)}1${'}'.repeat(20_000)}`) as Record<string, unknown>; // just written
    const reports: unknown[] = [
      { sync: { status: 'Synced', comparedTo: {} } },
      { sync: { status: 'Synced', comparedTo: { destination: 'x', source: [] } }, resources: 'none', health: 1 },
      { sync: { status: 'Synced', revision: deep }, history: deep },
    ];
    for (const report of reports) expect(readStatus(writeStatus(report as never).bytes).sync.status).toBe('Synced'); // as nothing checks it
  });

  it('has no time where there is none', () => {
    const times = [
      'yesterday',
      '2026-13-45T99:99:99Z',
      '2026-01-31',
      'Sat, 31 Jan 2026 12:00:00 GMT',
      { time: 'x' },
      7,
    ];
    for (const startedat of times) {
      const { operationState } = read(JSON.stringify({ operationstate: { startedat } }));
      expect(operationState?.startedAt, JSON.stringify(startedat)).toBeUndefined();
    }
  });
});
