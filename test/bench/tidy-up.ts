// Takes away what a bench has put into a cluster that others use too.
import { applications } from '../../src/api/argocd/application.ts';
import type { KubeClient } from '../../src/kube/client.ts';
import { namespaces } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import { sleep, systemClock } from '../../src/lib/clock.ts';

const REMOVED_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 50;

/** Deletes namespaces and waits until they are gone. @throws when they don't go. */
export const removeNamespaces = async (client: KubeClient, names: readonly string[]): Promise<void> => {
  const untilMs = systemClock.monotonicMs() + REMOVED_WITHIN_MS;
  await Promise.all(names.map((name) => client.delete(namespaces, { name })));
  for (;;) {
    const { items } = await client.list(namespaces);
    const left = items.filter(({ metadata }) => names.includes(metadata.name)).map(({ metadata }) => metadata.name);
    if (left.length === 0) return;
    if (systemClock.monotonicMs() > untilMs)
      throw new Error(`these namespaces are left, delete them: ${left.join(', ')}`);
    await sleep(systemClock, LOOK_EVERY_MS);
  }
};

/** Deletes the teams' namespaces while service and Argo CD are still there, and lets go of what else is left. */
export const removeTeams = async (
  client: KubeClient,
  { word, argocdNamespace: namespace }: { readonly word: string; readonly argocdNamespace: string },
): Promise<void> => {
  const { items } = await client.list(namespaces);
  const names = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(`bench-${word}-`));
  await removeNamespaces(
    client,
    names.filter((name) => name !== namespace),
  );
  for (const { metadata } of (await client.list(applications, { namespace })).items) {
    const body = { metadata: { finalizers: null } };
    await client.patch(applications, { namespace, name: metadata.name }, { type: 'merge', body }).catch(ignoreGone);
  }
};

const ignoreGone = (error: unknown): void => {
  if (!isNotFound(error)) throw error;
};
