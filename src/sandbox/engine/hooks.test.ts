import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../kube/object.ts';
import { hookDeletions, hookName, hookPhases, hookStateOf, isHook, isSkipped, runsHooks } from './hooks.ts';

const HOOK = 'argocd.argoproj.io/hook';
const POLICY = 'argocd.argoproj.io/hook-delete-policy';
const job = (annotations: Record<string, string> = {}, more: Record<string, unknown> = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'move', annotations },
  ...more,
});

describe('a hook', () => {
  test.each([
    [{}, false, []],
    [{ [HOOK]: 'PreSync' }, true, ['PreSync']],
    [{ [HOOK]: 'PostSync, PreSync' }, true, ['PreSync', 'PostSync']],
    [{ [HOOK]: 'Sometime' }, true, []],
    [{ [HOOK]: 'Skip' }, false, []],
    [{ 'helm.sh/hook': 'pre-upgrade,pre-install' }, true, ['PreSync']],
    [{ 'helm.sh/hook': 'test' }, true, []],
    [{ 'helm.sh/hook': 'crd-install' }, false, []],
  ])('with %j: %s, in %j', (annotations, expected, phases) => {
    expect([isHook(job(annotations)), hookPhases(job(annotations))]).toEqual([expected, phases]);
  });

  test('to be skipped is none', () => expect(isSkipped(job({ [HOOK]: 'Skip' }))).toBe(true));

  test('is deleted before its next run unless it says when', () => {
    expect(hookDeletions(job())).toEqual(['BeforeHookCreation']);
    expect(hookDeletions(job({ [POLICY]: 'HookSucceeded,HookFailed' }))).toEqual(['HookSucceeded', 'HookFailed']);
    expect(hookDeletions(job({ 'helm.sh/hook-delete-policy': 'before-hook-creation' }))).toEqual([
      'BeforeHookCreation',
    ]);
  });

  test('runs unless the sync is of chosen objects, or only applies', () => {
    const chosen = { resources: [{ kind: 'Job', name: 'move' }] };
    expect([{}, { syncStrategy: { hook: {} } }, { syncStrategy: { apply: {} } }, chosen].map(runsHooks)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('without a name gets one that is the same in each step of a run', () => {
    const run = { phase: 'PreSync', revision: '0123456789', startedAtMs: 1500 } as const;
    const prefixed = job({}, { metadata: { generateName: 'move-' } });
    expect([hookName(job(), run), hookName(prefixed, run)]).toEqual(['move', 'move-0123456-presync-1']);
  });
});

describe('how far a hook is', () => {
  const ended = (type: string) => ({ status: { conditions: [{ type, status: 'True', message: 'so it is' }] } });
  test.each([
    [job(), 'Running'],
    [job({}, { status: {} }), 'Running'],
    [job({}, ended('Complete')), 'Succeeded'],
    [job({}, ended('Failed')), 'Failed'],
    [job({}, { kind: 'Pod', apiVersion: 'v1' }), 'Running'],
    [job({}, { kind: 'Pod', apiVersion: 'v1', status: { phase: 'Unknown' } }), 'Failed'],
    [job({}, { kind: 'ConfigMap', apiVersion: 'v1' }), 'Succeeded'],
  ])('%#: %s', (object, phase) => expect(hookStateOf(object).phase).toBe(phase));
});
