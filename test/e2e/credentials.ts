// Repository credentials of teams, with their Secrets.
import type { GitOpsDeploymentRepositoryCredential } from '../../src/api/v1alpha1/gitops-deployment-repository-credential.ts';
import { createCredential, ownConditions, putCredential } from '../kit/environments.ts';
import { client, type Team } from './scenario.ts';

/** What is in the Secret of a credential. */
export type Login = { readonly username: string; readonly password: string } | { readonly sshPrivateKey: string };

/** Writes the Secret of a team's credential, or changes what is in it. */
export const putLogin = ({ namespace }: Team, name: string, login: Login): Promise<void> =>
  putCredential({ client }, { namespace, name }, { ...login });

/** Makes a team's credential for a repository; its Secret, of the same name, is made by others. */
export const makeCredential = (
  { namespace }: Team,
  name: string,
  repository: string,
): Promise<GitOpsDeploymentRepositoryCredential> => createCredential({ client }, { namespace, name }, { repository });

/** One of a credential's own conditions fits. @throws with what is there */
export const credentialSays = async ({ namespace }: Team, name: string, condition: RegExp): Promise<true> => {
  const conditions = await ownConditions({ client }, 'credential', { namespace, name });
  if (!conditions.some((one) => condition.test(one))) throw new Error(JSON.stringify(conditions));
  return true;
};

/** The credential opens the repository. */
export const isValid = (team: Team, name: string): Promise<true> =>
  credentialSays(team, name, /^ValidRepositoryCredential=True/);
