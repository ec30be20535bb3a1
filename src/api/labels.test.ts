// That names lead back to what they were made from, and that other names lead nowhere.
import { expect, test } from 'vitest';
import {
  applicationNameFor,
  appProjectName,
  appProjectUserOf,
  credentialIdOf,
  defaultProject,
  deploymentUidOf,
  inCluster,
  managedEnvironmentIdOf,
  managedEnvironmentSecretName,
  repositorySecretName,
} from './labels.ts';

const uid = '2b7f0c4e-3d1a-4f6b-9c8d-0e1f2a3b4c5d';

test('an Application name leads back to its deployment', () => {
  expect(applicationNameFor(uid)).toBe(`gitopsdepl-${uid}`);
  expect(deploymentUidOf(applicationNameFor(uid))).toBe(uid);
});

test.each(['web', 'gitopsdepl-', 'gitopsdepl-short', `gitopsdepl-${uid}0`, `x-gitopsdepl-${uid}`])(
  '%s is not the Application of a deployment',
  (name) => expect(deploymentUidOf(name)).toBeUndefined(),
);

test('a cluster name leads back to its environment; the cluster of Argo CD itself has none', () => {
  expect(managedEnvironmentIdOf(managedEnvironmentSecretName('7'))).toBe('7');
  expect([inCluster, '', 'managed-env-'].map(managedEnvironmentIdOf)).toEqual([undefined, undefined, undefined]);
});

test('the names of a repository Secret and of a project lead back to their rows', () => {
  expect(credentialIdOf(repositorySecretName('7'))).toBe('7');
  expect(['repo-cred-', 'my-repo-cred-7', 'managed-env-7'].map(credentialIdOf)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(appProjectUserOf(appProjectName('7'))).toBe('7');
  expect([defaultProject, 'app-project-'].map(appProjectUserOf)).toEqual([undefined, undefined]);
});
