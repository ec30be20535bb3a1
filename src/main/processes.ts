// The processes of production: the backend, the agent, both in one, and the migration alone.
import { migrate } from '../db/migrate.ts';
import { onceReady } from '../db/wait.ts';
import type { SettingValues } from '../lib/config.ts';
import type { Probes } from '../lib/probes.ts';
import type { Part } from '../runtime/process.ts';
import { admissionParts } from './admission.ts';
import { agentParts } from './agent.ts';
import { backendParts, type HalfContext } from './backend.ts';
import { clientPart, databasePart, probesPart } from './parts.ts';
import { connectCluster, databaseConnection, openDatabase, type Platform } from './platform.ts';
import type { Environment } from './environment.ts';
import { readKeyring } from './encryption.ts';
import { announce, type ProcessKind } from './process-kind.ts';
import { runUntilSignal, stopSignal } from './run.ts';
import { agentSettings, allSettings, backendSettings, migrateSettings } from './settings.ts';

/** Runs parts on their probes, their database and their cluster; what has no need of these starts before them. */
const runParts = async <S extends SettingValues<typeof agentSettings> | SettingValues<typeof backendSettings>>(
  platform: Platform,
  { name, migrates, settings, environment, early }: ServerOptions<S>,
  partsOf: (context: HalfContext<S>) => readonly Part[],
): Promise<void> => {
  const keyring = readKeyring(settings, platform.log);
  const client = connectCluster(platform, settings, environment);
  const database = openDatabase(platform, databaseConnection(settings), name);
  const { part, probes } = probesPart(platform, settings);
  await runUntilSignal(platform, [
    part,
    ...(early?.(platform, { probes, settings }) ?? []),
    databasePart(platform, database, { probes, migrates }),
    clientPart(client),
    ...partsOf({ platform, client, database, probes, keyring, settings }),
  ]);
};

interface ServerOptions<S> {
  readonly name: string;
  readonly migrates: boolean;
  readonly settings: S;
  readonly environment: Environment;
  readonly early?: (platform: Platform, on: { readonly probes: Probes; readonly settings: S }) => readonly Part[];
}

/** The controllers for users' objects. */
export const backendProcess: ProcessKind<typeof backendSettings> = {
  summary: 'Run the backend: turns GitOpsDeployments into rows, delivers them, brings status back.',
  schema: backendSettings,
  async run(settings, environment, ignored) {
    const platform = announce({ name: 'backend', schema: backendSettings, ignored }, settings);
    const { values } = settings;
    const early = admissionParts;
    const options = { name: 'backend', migrates: values.migrate, settings: values, environment, early };
    await runParts(platform, options, backendParts);
  },
};

/** The half next to Argo CD. */
export const agentProcess: ProcessKind<typeof agentSettings> = {
  summary: "Run the agent: makes Argo CD's objects equal to the rows, reports what they say.",
  schema: agentSettings,
  async run(settings, environment, ignored) {
    const platform = announce({ name: 'agent', schema: agentSettings, ignored }, settings);
    const options = { name: 'agent', migrates: false, settings: settings.values, environment };
    await runParts(platform, options, agentParts);
  },
};

/** Both halves in one process. */
export const allProcess: ProcessKind<typeof allSettings> = {
  summary: 'Run backend and agent in one process.',
  schema: allSettings,
  async run(settings, environment, ignored) {
    const platform = announce({ name: 'all', schema: allSettings, ignored }, settings);
    const { values } = settings;
    const early = admissionParts;
    const options = { name: 'all', migrates: values.migrate, settings: values, environment, early };
    await runParts(platform, options, (context) => [...backendParts(context), ...agentParts(context)]);
  },
};

/** The migration alone, for a job before an upgrade. */
export const migrateProcess: ProcessKind<typeof migrateSettings> = {
  summary: "Bring the database to this release's schema, then end.",
  schema: migrateSettings,
  async run(settings, _environment, ignored) {
    const platform = announce({ name: 'migrate', schema: migrateSettings, ignored }, settings);
    const database = openDatabase(platform, databaseConnection(settings.values), 'migrate');
    const signal = stopSignal();
    try {
      const { applied } = await onceReady({ ...database.options, random: platform.random, signal }, () =>
        migrate({ ...database.options, signal }),
      );
      platform.log.info(applied.length > 0 ? 'the database was migrated' : 'the database was up to date', {
        count: applied.length,
      });
    } finally {
      await database.pool.stop();
    }
  },
};
