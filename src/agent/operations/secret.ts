// Argo CD's Secrets: compared with what rows ask for, written where they differ, and removed. No content is ever told.
import { userFault } from '../../api/reasons.ts';
import type { ArgoCdSecret } from '../../domain/argocd-secret.ts';
import { objectKey, secrets, type Secret } from '../../kube/object.ts';
import { isEqualJson, mergePatch } from '../../kube/patch.ts';
import { isAlreadyExists, isInvalid, isNotFound } from '../../kube/status-error.ts';
import type { HandlerContext } from '../context.ts';
import { readLive, writePresent } from '../written.ts';

/** A Secret as it is; undefined where there is none. */
export const presentSecret = ({ present, engine, signal }: HandlerContext, name: string): Promise<Secret | undefined> =>
  present.secrets.get({ namespace: engine.namespace, name }, { signal });

/** True for a Secret with this content, these labels and these annotations; others are left to whoever set them. */
export const isRightSecret = (present: Secret | undefined, desired: ArgoCdSecret): boolean =>
  present !== undefined &&
  hasAll(present.metadata.labels, desired.labels) &&
  hasAll(present.metadata.annotations, desired.annotations) &&
  isEqualJson(present.data ?? {}, encoded(desired.data));

const hasAll = (present: Readonly<Record<string, string>> = {}, desired: ArgoCdSecret['labels']): boolean =>
  Object.entries(desired).every(([name, value]) => present[name] === value);

const encoded = (data: ArgoCdSecret['data']): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

/** What the user reads where the API server finds the Secret invalid; its own words might quote from it. */
interface Refusals {
  readonly created: string;
  readonly updated: string;
}

/**
 * Makes or corrects a Secret; nothing is sent for one that is right.
 * @throws Fault('user', 'OperationFailed') for one that the API server finds invalid.
 */
export const writeSecret = async (
  context: HandlerContext,
  desired: ArgoCdSecret,
  refusals: Refusals,
): Promise<void> => {
  const { client, engine, signal, present: written } = context;
  const { namespace } = engine;
  const { name, labels, annotations } = desired;
  const present = await presentSecret(context, name);
  if (present) return correctSecret(context, present, { desired, refusal: refusals.updated });
  signal.throwIfAborted();
  const metadata = { name, namespace, labels: { ...labels }, annotations: { ...annotations } };
  const object: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: encoded(desired.data) };
  try {
    const made = await client.create(secrets, object, { signal });
    written.secrets.wrote(objectKey(made.metadata), { from: undefined, to: made });
  } catch (error) {
    if (isInvalid(error)) throw userFault('OperationFailed', refusals.created);
    if (!isAlreadyExists(error)) throw error;
    // Somebody took the label by which it is watched, or made it before the cache could see it.
    const live = await client.get(secrets, { namespace, name }, { signal });
    await correctSecret(context, live, { desired, refusal: refusals.updated });
  }
};

const correctSecret = async (
  { client, engine, signal, present: written }: HandlerContext,
  present: Secret,
  { desired, refusal }: { readonly desired: ArgoCdSecret; readonly refusal: string },
): Promise<void> => {
  if (isRightSecret(present, desired)) return;
  const { resourceVersion, name } = present.metadata;
  const { labels, annotations } = desired;
  const data = mergePatch(present.data ?? {}, encoded(desired.data));
  const body = { metadata: { resourceVersion, labels, annotations }, data };
  const ref = { namespace: engine.namespace, name };
  try {
    const corrected = await writePresent(() => client.patch(secrets, ref, { type: 'merge', body, signal }));
    written.secrets.wrote(objectKey(present.metadata), { from: present, to: corrected });
  } catch (error) {
    if (isInvalid(error)) throw userFault('OperationFailed', refusal);
    throw error;
  }
};

/** Removes a Secret, as it is now. */
export const removeSecret = async (context: HandlerContext, name: string): Promise<void> => {
  const { client, engine, signal, present: written } = context;
  const ref = { namespace: engine.namespace, name };
  const live = await readLive({ client, resource: secrets }, ref, { signal });
  if (!live) return;
  try {
    await client.delete(secrets, ref, { uid: live.metadata.uid ?? '', signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  written.secrets.wrote(objectKey(live.metadata), { from: live, to: undefined });
};
