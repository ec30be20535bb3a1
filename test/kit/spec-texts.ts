// The text of an application's row, for tests that care about little in it.
import { writeSpecField } from '../../src/domain/spec-field.ts';
import { engineNamespace } from './world.ts';

/** What a test says of an Application; the rest is as usual. */
interface SpecText {
  readonly path?: string;
  readonly repository?: string;
  readonly project?: string;
  /** Name of the cluster in Argo CD. */
  readonly cluster?: string;
}

/** Makes the text for the Application of a name: folder `app` of `org/repo`, synced by order only. */
export const specText =
  ({ path = 'app', repository = 'repo', project = 'default', cluster = 'in-cluster' }: SpecText = {}) =>
  (name: string): string =>
    writeSpecField({
      name,
      namespace: engineNamespace,
      project,
      source: { repoURL: `https://github.com/org/${repository}`, path, targetRevision: '' },
      destination: { server: '', namespace: 'team', name: cluster },
      syncPolicy: undefined,
    });
