// Whose rows are what their present spec asks for: a sync is ordered from such rows only.
import type { GitOpsDeployment } from '../api/v1alpha1/gitops-deployment.ts';

/** What passes have found, by lane. After a start nothing is known; every lane has a pass then. */
export interface CurrentRows {
  /** A pass has made the rows of a lane right for this deployment; or, without one, could not. */
  note(lane: string, deployment: GitOpsDeployment | undefined): void;
  /** True when the rows are right for this version of the deployment's spec. */
  areOf(lane: string, deployment: GitOpsDeployment): boolean;
}

/** Creates it; `changed` takes each lane about which something else is known than before. */
export const createCurrentRows = (changed: (lane: string) => void): CurrentRows => {
  const versions = new Map<string, string>();
  return {
    note(lane, deployment) {
      const version = deployment && versionOf(deployment);
      if (versions.get(lane) === version) return;
      if (version === undefined) versions.delete(lane);
      else versions.set(lane, version);
      changed(lane);
    },
    areOf: (lane, deployment) => versions.get(lane) === versionOf(deployment),
  };
};

const versionOf = ({ metadata }: GitOpsDeployment): string => `${metadata.uid ?? ''} ${metadata.generation ?? 0}`;
