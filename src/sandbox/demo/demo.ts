// The demo: what users can say to the service, and what becomes of it, as it is seen in the API server and the database.
import type { PrivateRepository } from '../private-repository.ts';
import type { SampleRepository } from '../sample-repository.ts';
import { showCredential } from './credential.ts';
import { showDenial } from './denial.ts';
import type { DemoSource } from './deployment.ts';
import { showEnvironment, type OtherCluster } from './environment.ts';
import { showFirstDeployment } from './first-deployment.ts';
import type { Stage } from './stage.ts';
import { showSyncRun } from './sync-run.ts';

/** What the demo shows. */
export interface DemoOptions extends Stage, DemoSource {
  /** Name of the first deployment; those of others begin with it. */
  readonly name: string;
  /** The sample repository, when it is that which is deployed: then a commit is made too. */
  readonly sample: SampleRepository | undefined;
  readonly other: OtherCluster;
  readonly privateRepository: PrivateRepository;
}

/**
 * Shows a deployment on its way from the object to Healthy, a commit arriving, and everything gone after its deletion;
 * a manual one that waits for a sync run; one to another cluster; one of a private repository; and a write that is denied.
 * @throws Fault('internal', 'DemoStepMissed') naming the first step that was not seen in time.
 */
export const runDemo = async (options: DemoOptions): Promise<void> => {
  const { namespace, name, source, shownSource, sample, other, privateRepository } = options;
  const named = (ending: string) => ({ namespace, name: `${name}${ending}`, source, shownSource });
  await showFirstDeployment(options, named(''), sample);
  await showSyncRun(options, named('-manual'));
  await showEnvironment(options, other, { ...named('-there'), sample: sample !== undefined });
  await showCredential(options, named('-private'), privateRepository);
  await showDenial(options, named('-wrong'));
};
