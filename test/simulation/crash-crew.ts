// The processes in a lane: who runs, who dies, and who is started again.
import { leases } from '../../src/kube/object.ts';
import { isNotFound } from '../../src/kube/status-error.ts';
import type { Child, Role } from './crash-child.ts';
import type { KillPoint } from './crash-gate.ts';
import { engineNamespace, type Lane } from './crash-lane.ts';
import type { Armament } from './crash-process.ts';

/** Which processes run, and which of them die. */
export const halves = {
  backend: { victims: ['backend'], others: ['agent'] },
  agent: { victims: ['agent'], others: ['backend'] },
  both: { victims: ['backend', 'agent'], others: [] },
  all: { victims: ['all'], others: [] },
} as const satisfies Record<string, { victims: readonly Role[]; others: readonly Role[] }>;

/** What dies. */
export type Half = keyof typeof halves;

/** A kill point in one of the processes. */
export interface Target extends KillPoint {
  readonly role: Role;
}

/** How often each call was made, by process. */
export type Counts = readonly (readonly [Role, Readonly<Record<string, number>>])[];

/** The processes. */
export interface Crew {
  /** Starts who does not run; a target dies in its start, or later. */
  startAll(target?: Target): void;
  /** Has the victims count anew, and the target die when it gets there. */
  arm(target?: Target): Promise<void>;
  /** Kills the victims that still live. Their Leases end at once. */
  killVictims(): Promise<void>;
  hasDied(target: Target | undefined): boolean;
  /** Whether no victim has called anything for a while. */
  isQuiet(): Promise<boolean>;
  counts(): Promise<Counts>;
  /** The ends of their logs. */
  logs(): string;
}

/** No call for this long: whatever follows from the last one has happened. */
const QUIET_MS = 120;

/** Creates them; nobody runs yet. */
export const createCrew = (lane: Lane, half: Half): Crew => {
  const { victims, others }: { readonly victims: readonly Role[]; readonly others: readonly Role[] } = halves[half];
  const children = new Map<Role, Child>();
  const runs = (role: Role): boolean => children.get(role)?.ended === false;
  /** The target takes the other victim along. */
  const armamentOf = (role: Role, target: Target | undefined): Armament => {
    if (role !== target?.role) return {};
    const together = victims.filter((other) => other !== role && runs(other)).map((other) => children.get(other)?.pid);
    return {
      point: target,
      ...(together[0] !== undefined && { together: together[0] }),
    };
  };
  const reports = () =>
    Promise.all(victims.map(async (role) => [role, await children.get(role)?.ask('report')] as const));
  return {
    startAll(target) {
      const missing = [...victims, ...others].filter((role) => !runs(role));
      const targetLast = [
        ...missing.filter((role) => role !== target?.role),
        ...missing.filter((role) => role === target?.role),
      ];
      for (const role of targetLast) children.set(role, lane.start(role, armamentOf(role, target)));
    },
    async arm(target) {
      await Promise.all(victims.map(async (role) => children.get(role)?.ask({ arm: armamentOf(role, target) })));
    },
    async killVictims() {
      await Promise.all(victims.map(async (role) => children.get(role)?.kill()));
      await Promise.all(victims.flatMap(leasesOf).map((name) => freeLease(lane, name)));
    },
    hasDied: (target) => target !== undefined && !runs(target.role),
    isQuiet: async () => (await reports()).every(([, report]) => (report?.idleMs ?? 0) >= QUIET_MS),
    counts: async () => (await reports()).map(([role, report]) => [role, report?.counts ?? {}]),
    logs: () => [...children.values()].map((child) => `--- ${child.role}\n${child.log()}`).join('\n'),
  };
};

const leasesOf = (role: Role): readonly string[] =>
  (role === 'all' ? ['backend', 'agent'] : [role]).map((half) => `managed-gitops-${half}`);

/** Ends the Lease of a process that was killed. That happens by itself 15 s later: no trial has to wait for it. */
const freeLease = async ({ client }: Lane, name: string): Promise<void> => {
  try {
    const body = { spec: { holderIdentity: '' } };
    await client.patch(leases, { namespace: engineNamespace, name }, { type: 'merge', body });
  } catch (error) {
    if (!isNotFound(error)) throw error; // it died before it had one
  }
};
