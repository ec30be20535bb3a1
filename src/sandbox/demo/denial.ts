// A chapter of the demo: a write that admission denies.
import { gitOpsDeployments } from '../../api/v1alpha1/gitops-deployment.ts';
import { ApiError } from '../../kube/status-error.ts';
import { Fault } from '../../lib/fault.ts';
import { deploymentOf, type Wanted } from './deployment.ts';
import { see, type Stage } from './stage.ts';

/** An option of Argo CD's that this service doesn't let teams set. */
const OPTION = 'Prune=true';

/** Shows it. */
export const showDenial = async (stage: Stage, wanted: Wanted): Promise<void> => {
  const { client, write } = stage;
  const { namespace, name } = wanted;
  write('');
  write(`Tried GitOpsDeployment ${namespace}/${name}, with the sync option ${OPTION}`);
  const subject = { kind: 'GitOpsDeployment', read: () => Promise.resolve(undefined) };
  const look = async (): Promise<string> => {
    try {
      await client.create(gitOpsDeployments, deploymentOf({ ...wanted, syncOptions: [OPTION] }));
    } catch (error) {
      if (error instanceof ApiError && error.code === 403) return error.message;
      throw error;
    }
    throw new Fault('internal', 'DemoStepMissed', 'the step "denied" was not seen: admission let it through');
  };
  await see(stage, subject, [{ name: 'denied', look }]);
};
