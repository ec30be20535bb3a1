// The service as it runs in production, but for a gate that kills it where it is told to: `crash-process.ts backend …`.
import { flushCompileCache } from 'node:module';
import { parseSettings } from '../../src/lib/config.ts';
import { agentParts } from '../../src/main/agent.ts';
import { backendParts } from '../../src/main/backend.ts';
import { plainKeyring } from '../../src/lib/envelope.ts';
import { clientPart, databasePart, probesPart } from '../../src/main/parts.ts';
import { connectCluster, createPlatform, databaseConnection, openDatabase } from '../../src/main/platform.ts';
import { runUntilSignal } from '../../src/main/run.ts';
import { allSettings } from '../../src/main/settings.ts';
import { createCrashGate, type KillPoint } from './crash-gate.ts';

/** What the process is told: to count anew and, where a point is given, to die there. */
export interface Armament {
  readonly point?: KillPoint;
  /** Another process that dies at the same moment. */
  readonly together?: number;
}

/** What the process says of itself whenever it is asked anything. */
export interface CrashReport {
  readonly counts: Readonly<Record<string, number>>;
  readonly idleMs: number;
}

/** A question. Each is answered by a report, in order. */
export type Question = { readonly arm: Armament } | 'report';

const partsOf = {
  backend: [backendParts],
  agent: [agentParts],
  all: [backendParts, agentParts],
} as const;

const isRole = (text: string | undefined): text is keyof typeof partsOf => text !== undefined && text in partsOf;

const [, , role, armament = '{}', ...flags] = process.argv;
if (!isRole(role)) throw new Error(`the role is one of ${Object.keys(partsOf).join(', ')}`);
let { point, together }: Armament = JSON.parse(armament);

const crash = createCrashGate(point, () => {
  try {
    if (together !== undefined) process.kill(together, 'SIGKILL');
  } finally {
    process.kill(process.pid, 'SIGKILL'); // also where the other one has gone
  }
});
process.on('message', (question: Question) => {
  if (question !== 'report') {
    ({ point, together } = question.arm);
    crash.arm(point);
  }
  flushCompileCache(); // a process that is killed writes none at its end
  process.send?.({
    counts: crash.counts(),
    idleMs: crash.idleMs(),
  } satisfies CrashReport);
});
process.on('disconnect', () => process.exit());

const given = Object.fromEntries(flags.map((flag) => /^--([^=]+)=(.*)$/.exec(flag)?.slice(1) ?? []));
const { values: settings } = parseSettings(allSettings, {
  flags: given,
  environment: {},
});
const platform = {
  ...createPlatform(settings.logLevel, role),
  gate: crash.gate,
};
const client = connectCluster(platform, settings, {});
const database = openDatabase(platform, databaseConnection(settings), role);
const { part, probes } = probesPart(platform, settings);
await runUntilSignal(platform, [
  part,
  databasePart(platform, database, { probes, migrates: role !== 'agent' }),
  clientPart(client),
  ...partsOf[role].flatMap((parts) => parts({ platform, client, database, probes, keyring: plainKeyring, settings })),
]);
