// How an Application is changed: on condition of the version that was read, and remembered by who reads it next.
import { applications, type Application } from '../api/argocd/application.ts';
import { objectKey } from '../kube/object.ts';
import type { HandlerContext } from './context.ts';

/** A merge patch of an Application, without its `resourceVersion`. */
export interface ApplicationChange {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly operation?: unknown;
}

/**
 * Changes an Application as it was read. Returns it as it then is.
 * @throws ApiError; a conflict means that it has changed since.
 */
export const patchApplication = async (
  { client, signal, present }: HandlerContext,
  application: Application,
  change: ApplicationChange,
): Promise<Application> => {
  const { namespace = '', name, resourceVersion } = application.metadata;
  const body = { ...change, metadata: { ...change.metadata, resourceVersion } };
  const patched = await client.patch(applications, { namespace, name }, { type: 'merge', body, signal });
  present.applications.wrote(objectKey(application.metadata), { from: application, to: patched });
  return patched;
};
