// That a wrong object is told where and why, in the words of the API.
import { expect, test } from 'vitest';
import { problemsOf } from './problems.ts';
import { gitOpsDeploymentKind, type GitOpsDeployment } from './v1alpha1/gitops-deployment.ts';

const deployment: GitOpsDeployment = {
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata: { name: 'web', namespace: 'team', labels: { a: 'b' } },
  spec: { source: { repoURL: 'https://host/repo', path: 'web' }, type: 'automated' },
};

test('a right object has no problems, whatever else it carries', () => {
  expect(problemsOf(gitOpsDeploymentKind.schema, deployment)).toEqual([]);
  expect(problemsOf(gitOpsDeploymentKind.schema, { ...deployment, extra: 1 })).toEqual([]);
});

test('what the reconciler refuses is not refused by the schema: empty texts and any type', () => {
  const spec = { source: { repoURL: '', path: '' }, type: 'whatever' };
  expect(problemsOf(gitOpsDeploymentKind.schema, { ...deployment, spec })).toEqual([]);
});

test('each problem has the path of its field', () => {
  const spec = { source: { repoURL: 1 }, type: 'manual', syncPolicy: { syncOptions: ['a', 2] } };
  const problems = problemsOf(gitOpsDeploymentKind.schema, { ...deployment, spec });
  expect(problems.map(({ path }) => path)).toEqual([
    '.spec.source.repoURL',
    '.spec.source.path',
    '.spec.syncPolicy.syncOptions[1]',
  ]);
  expect(problems.every(({ message }) => message.length > 0)).toBe(true);
});

test('a value that is no object at all is one problem at the root', () => {
  expect(problemsOf(gitOpsDeploymentKind.schema, 'text').map(({ path }) => path)).toEqual(['.']);
});
