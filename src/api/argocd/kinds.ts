// The kinds of Argo CD that a cluster without it needs before the service can work there.
import type { CustomKind } from '../custom-kind.ts';
import { appProjectKind } from './app-project.ts';
import { applicationKind } from './application.ts';

/** Stand-ins for Argo CD's own definitions: what we read and write is checked, all else is kept as it is. */
export const argoKinds: readonly CustomKind[] = [applicationKind, appProjectKind];
