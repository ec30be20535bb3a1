// What every process stands on: clock, chance, log, metrics, database, cluster.
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { DatabaseConnection } from '../db/connection.ts';
import { createDatabase, type DatabaseOptions, type DatabasePool } from '../db/pool.ts';
import type { KubeClient } from '../kube/client.ts';
import { createKubeClient } from '../kube/http-client.ts';
import { inClusterAccess, parseKubeconfig, type ClusterAccess } from '../kube/kubeconfig.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import type { SettingValues } from '../lib/config.ts';
import { Fault, messageOf } from '../lib/fault.ts';
import { openGate, type Gate } from '../lib/gate.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { createMetrics, type Metrics } from '../lib/metrics.ts';
import { systemRandom, type Random } from '../lib/random.ts';
import type { Environment } from './environment.ts';
import type { agentSettings, migrateSettings } from './settings.ts';

/** What a process is made on. Tests give their own clock, chance and gate. */
export interface Platform {
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: Gate;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The platform of production. */
export const createPlatform = (
  level: SettingValues<typeof migrateSettings>['logLevel'],
  component: string,
): Platform => ({
  clock: systemClock,
  random: systemRandom,
  gate: openGate,
  log: createLogger({ level }).with({ component }),
  metrics: createMetrics({ processMetrics: true }),
});

/** Where the database is, from the settings. */
export const databaseConnection = (settings: SettingValues<typeof migrateSettings>): DatabaseConnection =>
  settings.databaseUrl !== ''
    ? { url: settings.databaseUrl }
    : {
        host: settings.databaseHost,
        port: settings.databasePort,
        user: settings.databaseUser,
        password: settings.databasePassword,
        database: settings.databaseName,
        ssl: !settings.databasePlain,
      };

/** The pool of a process and what its other sessions are opened with. */
export interface ProcessDatabase {
  readonly options: DatabaseOptions;
  readonly pool: DatabasePool;
}

/** Creates the pool of a process called `name`; it connects when it is first used. */
export const openDatabase = (platform: Platform, connection: DatabaseConnection, name: string): ProcessDatabase => {
  const options = { ...platform, connection, name: `managed-gitops ${name}` };
  return { options, pool: createDatabase(options) };
};

/** Creates the client of the cluster that the settings name. */
export const connectCluster = (
  platform: Platform,
  settings: Pick<SettingValues<typeof agentSettings>, 'kubeconfig'>,
  environment: Environment,
): KubeClient => createKubeClient({ ...platform, access: clusterAccess(settings.kubeconfig, environment) });

/**
 * The access that a setting names: a file, else the pod the process is in, else the user's own kubeconfig.
 * @throws Fault('user', 'InvalidKubeconfig')
 */
const clusterAccess = (file: string, environment: Environment): ClusterAccess => {
  if (file !== '') return readKubeconfig(file);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (host) return inClusterAccess({ readFile, environment: { host, port } });
  return readKubeconfig(join(homedir(), '.kube', 'config'));
};

const readKubeconfig = (file: string): ClusterAccess => {
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const several = file.includes(':') ? '; name one file, lists of files are not merged' : '';
    throw new Fault('user', 'InvalidKubeconfig', `the kubeconfig can't be read: ${messageOf(error)}${several}`);
  }
  return parseKubeconfig(text, { readFile, directory: dirname(file) });
};

const readFile = (path: string): string => readFileSync(path, 'utf8');

/**
 * A name for this process among its replicas. Of the processes of one pod there is never more than one at a time, so the
 * pod's UID names it: one that is started again takes what the one before it held.
 */
export const processIdentity = (random: Random, podUid: string): string => `${hostname()}_${podUid || random.uuid()}`;
