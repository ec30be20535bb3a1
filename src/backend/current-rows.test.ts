import { beforeEach, expect, it } from 'vitest';
import { liveDeployment } from '../../test/kit/facts.ts';
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';
import { createCurrentRows, type CurrentRows } from './current-rows.ts';

const lane = 'uid/deployment/app';
const version = (generation: number, uid = 'one'): GitOpsDeployment => {
  const { metadata, ...rest } = liveDeployment({});
  return { ...rest, metadata: { ...metadata, uid, generation } };
};

let rows: CurrentRows;
let changed: string[];
beforeEach(() => {
  changed = [];
  rows = createCurrentRows((key) => changed.push(key));
});

it('rows are those of one version of one object, and of none that nobody has met', () => {
  expect(rows.areOf(lane, version(1))).toBe(false);
  rows.note(lane, version(1));
  expect(rows.areOf(lane, version(1))).toBe(true);
  expect(rows.areOf(lane, version(2))).toBe(false);
  expect(rows.areOf(lane, version(1, 'made-again'))).toBe(false);
});

it('a pass that could not make them right leaves none', () => {
  rows.note(lane, version(1));
  rows.note(lane, undefined);
  expect(rows.areOf(lane, version(1))).toBe(false);
});

it('only news are told', () => {
  rows.note(lane, undefined);
  expect(changed).toEqual([]);
  for (const deployment of [version(1), version(1), version(2), undefined, undefined]) rows.note(lane, deployment);
  expect(changed).toEqual([lane, lane, lane]);
});
