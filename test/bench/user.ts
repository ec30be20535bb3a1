// The teams of a bench: they make namespaces and deployments, change them, delete them, and look at the clock.
import { applicationNameFor } from '../../src/api/labels.ts';
import { gitOpsDeployments, type GitOpsDeployment } from '../../src/api/v1alpha1/gitops-deployment.ts';
import { namespaces } from '../../src/kube/object.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { createSlots } from './slots.ts';
import type { Sight } from './sights.ts';
import { goneSight, pathSight } from './eyes.ts';
import type { World } from './world.ts';

/** A deployment of the bench. */
export interface Member {
  readonly namespace: string;
  readonly name: string;
  /** Counts its changes, so that each has a path of its own. */
  version: number;
  /** Known once it has been created. */
  uid: string;
}

/** Deployments in namespaces of their own. */
export type Fleet = readonly Member[];

/** A member of a fleet, over and over in turn. @throws of an empty fleet. */
export const at = (fleet: Fleet, index: number): Member => {
  const member = fleet[index % fleet.length];
  if (!member) throw new Error('the fleet is empty');
  return member;
};

/** Something that was sent, and how long it took, in milliseconds, until it was seen done. */
export interface Sent {
  readonly seen: Promise<number>;
}

/** What a user does. Each returns when the API server has answered. */
export interface User {
  /** Makes the namespaces of a fleet; the deployments are not there yet. */
  prepare(size: { readonly deployments: number; readonly namespaces: number }): Promise<Fleet>;
  create(member: Member): Promise<Sent>;
  /** Changes the path of the deployment. */
  change(member: Member): Promise<Sent>;
  remove(member: Member): Promise<Sent>;
}

/** Creates a user with connections of their own. */
export const createUser = (world: World): User => {
  const client = world.connect();
  const slots = createSlots();

  const send = (sight: Sight, request: () => Promise<void>): Promise<Sent> =>
    slots(async () => {
      const sentMs = systemClock.monotonicMs();
      await request();
      const seen = world.sights.seen(sight).then((atMs) => atMs - sentMs);
      seen.catch(() => {}); // whoever waits for it hears of it
      return { seen };
    });

  return {
    async prepare(size) {
      const fleet = systemRandom.uuid().slice(0, 6);
      const names = Array.from({ length: size.namespaces }, (_, index) => `bench-${world.word}-${fleet}-${index}`);
      await Promise.all(
        names.map((name) =>
          slots(() => client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
        ),
      );
      return Array.from({ length: size.deployments }, (_, index) => ({
        namespace: names[index % names.length] ?? '',
        name: `app-${Math.floor(index / names.length)}`,
        version: 0,
        uid: '',
      }));
    },
    create: (member) =>
      send(pathSight(pathOf(member)), async () => {
        const made = await client.create(gitOpsDeployments, deploymentOf(member));
        member.uid = made.metadata.uid ?? '';
      }),
    change(member) {
      member.version += 1;
      return send(pathSight(pathOf(member)), async () => {
        const body = { spec: { source: { path: pathOf(member) } } };
        await client.patch(gitOpsDeployments, member, { type: 'merge', body });
      });
    },
    remove: (member) => send(goneSight(applicationNameFor(member.uid)), () => client.delete(gitOpsDeployments, member)),
  };
};

/** The path that tells a version of a deployment from all others. */
export const pathOf = ({ namespace, name, version }: Member): string => `apps/${namespace}/${name}/${version}`;

/** The object of a deployment. */
export const deploymentOf = (member: Member): GitOpsDeployment => ({
  apiVersion: 'managed-gitops.redhat.com/v1alpha1',
  kind: 'GitOpsDeployment',
  metadata: { name: member.name, namespace: member.namespace },
  spec: {
    source: { repoURL: 'https://git.example.com/team/apps.git', path: pathOf(member), targetRevision: 'main' },
    type: 'automated',
  },
});
