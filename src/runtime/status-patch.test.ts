import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedLog } from '../../test/kit/captured-log.ts';
import { startSandboxApi, type SandboxApi } from '../../test/kit/sandbox-api.ts';
import type { KubeObject, ResourceType } from '../kube/object.ts';
import { isConflict } from '../kube/status-error.ts';
import { createStatusPatcher } from './status-patch.ts';

interface Widget extends KubeObject {
  spec: { size: number };
  status?: { phase?: string; conditions?: Record<string, unknown>[] };
}

const widgets: ResourceType<Widget> = {
  group: 'example.test',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

/** The server's schema of a status: `phase`, and conditions without `observedGeneration`. */
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.test' },
  spec: {
    group: 'example.test',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { size: { type: 'integer' } } },
              status: {
                type: 'object',
                properties: {
                  phase: { type: 'string' },
                  conditions: {
                    type: 'array',
                    items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

let api: SandboxApi;
beforeEach(async () => {
  api = await startSandboxApi({ crds: [definition], namespaces: ['team'] });
});
afterEach(() => api.stop());

const setUp = async () => {
  const client = api.connect();
  const { log, lines } = capturedLog();
  const patcher = createStatusPatcher({ client, resource: widgets, log });
  const widget = await client.create(widgets, {
    apiVersion: 'example.test/v1',
    kind: 'Widget',
    metadata: { name: 'a', namespace: 'team' },
    spec: { size: 1 },
  });
  const patches = (): number => api.server.requests()['patch widgets/status'] ?? 0;
  return { client, patcher, widget, lines, patches };
};

/** What a patch returned, where it must have written. */
const written = (outcome: 'unchanged' | Widget): Widget => {
  if (outcome === 'unchanged') throw new Error('nothing was written');
  return outcome;
};

describe('a status', () => {
  test('is written once, and not again while it is the same', async () => {
    const { patcher, widget, patches } = await setUp();
    const status = { phase: 'Ready', conditions: [{ type: 'Ready', status: 'True' }] };
    const first = written(await patcher.patch(widget, status));
    expect(first.status).toEqual(status);
    expect(first.metadata.resourceVersion).not.toBe(widget.metadata.resourceVersion);
    expect(await patcher.patch(first, structuredClone(status))).toBe('unchanged');
    expect(patches()).toBe(1);
  });

  test('is whole: what it does not have any more goes', async () => {
    const { patcher, widget } = await setUp();
    const first = written(await patcher.patch(widget, { phase: 'Ready', conditions: [] }));
    expect(written(await patcher.patch(first, { conditions: [] })).status).toEqual({ conditions: [] });
  });

  test('with fields that the schema lacks is written once; what was dropped is said once', async () => {
    const { patcher, widget, lines, patches } = await setUp();
    const status = {
      phase: 'Ready',
      sync: { revision: 'abc' },
      conditions: [{ type: 'Ready', status: 'True', observedGeneration: 3 }],
    };
    const first = written(await patcher.patch(widget, status));
    expect(first.status).toEqual({ phase: 'Ready', conditions: [{ type: 'Ready', status: 'True' }] });
    expect(lines.map(({ field }) => field)).toEqual(['sync', 'conditions[].observedGeneration']);
    expect(await patcher.patch(first, { ...status, sync: { revision: 'def' } })).toBe('unchanged');
    const second = written(await patcher.patch(first, { ...status, phase: 'Degraded' }));
    expect(second.status?.phase).toBe('Degraded');
    expect([patches(), lines.length]).toEqual([2, 2]);
  });

  test('of an object that has changed meanwhile is refused with a conflict', async () => {
    const { client, patcher, widget } = await setUp();
    await client.update(widgets, { ...widget, spec: { size: 2 } });
    const refused = await patcher.patch(widget, { phase: 'Ready' }).catch((error: unknown) => error);
    expect(isConflict(refused)).toBe(true);
  });
});
