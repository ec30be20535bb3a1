// Which credentials a repository is read with: those of Argo CD's repository Secrets. Pure; the rules are Argo CD's.
import type { Secret } from '../../kube/object.ts';
import { normalizeGitUrl } from './git-url.ts';
import { secretText } from './secret-text.ts';

/** A repository, and as whom it is read. Absent texts are ''. */
export interface Repository {
  readonly url: string;
  /** Tells those apart who read the same URL: what one of them may read is kept from the others. */
  readonly reader: string;
  readonly username: string;
  readonly password: string;
  readonly sshPrivateKey: string;
}

/** The repository as everybody reads it. */
export const anonymous = (url: string): Repository => ({
  url,
  reader: '',
  username: '',
  password: '',
  sshPrivateKey: '',
});

/** Whether the Secret is about this URL, however it is written. */
export const isAboutRepository = (secret: Secret, url: string): boolean =>
  normalizeGitUrl(secretText(secret, 'url')) === normalizeGitUrl(url);

/** The repository with the credentials of the project, else with those that are every project's, else with none. */
export const chooseRepository = (
  secrets: readonly Secret[],
  { url, project }: { readonly url: string; readonly project: string },
): Repository => {
  const about = secrets.filter((secret) => isAboutRepository(secret, url));
  const ofProject = (name: string): Secret | undefined =>
    about.find((secret) => secretText(secret, 'project') === name);
  const found = ofProject(project) ?? ofProject('');
  if (!found) return anonymous(url);
  return {
    url,
    reader: found.metadata.uid ?? found.metadata.name,
    username: secretText(found, 'username'),
    password: secretText(found, 'password'),
    sshPrivateKey: secretText(found, 'sshPrivateKey'),
  };
};
