// Every setting of the processes: flag, environment variables, default. The original's names keep working.
import {
  addressSetting,
  choiceSetting,
  durationSetting,
  integerSetting,
  switchSetting,
  textSetting,
  type Address,
  type Setting,
} from '../lib/config.ts';
import { logLevels } from '../lib/log.ts';
import { encryptionSettings, outsideSettings } from './outside-settings.ts';
import { originalWebhookSwitch, selfHealInterval } from './original.ts';

const loopback = (port: number): Address => ({ host: '127.0.0.1', port, off: false });

/** A text that has to follow a rule; an empty variable counts as one that is not set. */
const checked = (
  setting: Setting<string>,
  { isValid, rule }: { readonly isValid: (text: string) => boolean; readonly rule: string },
): Setting<string> => ({
  ...setting,
  emptyIsValue: false,
  parse(text) {
    if (isValid(text)) return text;
    throw new Error(rule);
  },
});

const isDatabaseUrl = (text: string): boolean => /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);

const namespaceName = {
  isValid: (text: string): boolean => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text),
  rule: 'must be the name of a namespace',
};

/** Settings of every process. */
const commonSettings = {
  logLevel: choiceSetting({
    flag: 'log-level',
    environment: ['MANAGED_GITOPS_LOG_LEVEL'],
    choices: logLevels,
    fallback: 'info',
    help: 'How much is logged.',
  }),
  databaseUrl: checked(
    textSetting({
      flag: 'database-url',
      environment: ['MANAGED_GITOPS_DATABASE_URL'],
      fallback: '',
      placeholder: 'postgresql://…',
      secret: true,
      help: 'PostgreSQL, as a URL with user and password. Takes the place of the other database settings.',
    }),
    { isValid: isDatabaseUrl, rule: 'must be a URL such as postgresql://user:password@host:5432/name' },
  ),
  databaseHost: textSetting({
    flag: 'database-host',
    environment: ['MANAGED_GITOPS_DATABASE_HOST', 'DB_ADDR'],
    fallback: 'localhost',
    placeholder: 'host',
    help: 'Host of PostgreSQL.',
  }),
  databasePort: integerSetting({
    flag: 'database-port',
    environment: ['MANAGED_GITOPS_DATABASE_PORT'],
    fallback: 5432,
    min: 1,
    max: 65_535,
    help: 'Port of PostgreSQL.',
  }),
  databaseUser: textSetting({
    flag: 'database-user',
    environment: ['MANAGED_GITOPS_DATABASE_USER'],
    fallback: 'postgres',
    placeholder: 'name',
    help: 'User of PostgreSQL.',
  }),
  databasePassword: textSetting({
    flag: 'database-password',
    environment: ['MANAGED_GITOPS_DATABASE_PASSWORD', 'DB_PASS'],
    fallback: 'gitops',
    secret: true,
    help: 'Password of that user. Better given by the environment than by flag.',
  }),
  databaseName: textSetting({
    flag: 'database-name',
    environment: ['MANAGED_GITOPS_DATABASE_NAME', 'POSTGRESQL_DATABASE'],
    fallback: 'postgres',
    placeholder: 'name',
    help: 'Database of PostgreSQL.',
  }),
  databasePlain: switchSetting({
    flag: 'database-plain',
    environment: ['MANAGED_GITOPS_DATABASE_PLAIN', 'DEV_ONLY_ALLOW_NON_TLS_CONNECTION_TO_POSTGRESQL'],
    fallback: false,
    help: 'Connect without TLS. For development only.',
  }),
};

/** Settings of the processes that talk to a cluster. */
const clusterSettings = {
  kubeconfig: textSetting({
    flag: 'kubeconfig',
    environment: ['KUBECONFIG'],
    fallback: '',
    placeholder: 'file',
    help: 'The cluster, as a kubeconfig. Without one: the pod the process is in, else ~/.kube/config.',
  }),
  argocdNamespace: checked(
    textSetting({
      flag: 'argocd-namespace',
      environment: ['ARGO_CD_NAMESPACE'],
      fallback: 'gitops-service-argocd',
      placeholder: 'name',
      help: 'The namespace of Argo CD.',
    }),
    namespaceName,
  ),
  leaseNamespace: checked(
    textSetting({
      flag: 'lease-namespace',
      environment: ['MANAGED_GITOPS_LEASE_NAMESPACE'],
      fallback: '',
      placeholder: 'name',
      help: 'Where the Leases are. By default the namespace of Argo CD.',
    }),
    namespaceName,
  ),
  compat: choiceSetting({
    flag: 'compat',
    environment: ['MANAGED_GITOPS_COMPAT'],
    choices: ['none', 'original'],
    fallback: 'none',
    help: "original: the other half is the original's. No conditions of ours, its Leases are taken too, destinations as there.",
  }),
  podUid: textSetting({
    flag: 'pod-uid',
    environment: ['MANAGED_GITOPS_POD_UID'],
    fallback: '',
    placeholder: 'uid',
    help: 'UID of the pod, where there is one. A process that dies is then replaced at once by the next one in its pod.',
  }),
  concurrency: integerSetting({
    flag: 'concurrency',
    environment: ['MANAGED_GITOPS_CONCURRENCY'],
    fallback: 16,
    min: 1,
    max: 256,
    help: 'Passes at once.',
  }),
  resyncMs: durationSetting({
    flag: 'resync',
    environment: ['MANAGED_GITOPS_RESYNC'],
    fallback: 600_000,
    help: 'How often everything is looked at again.',
  }),
  selfHealMs: selfHealInterval,
  pollMs: durationSetting({
    flag: 'poll',
    environment: ['MANAGED_GITOPS_POLL'],
    fallback: 30_000,
    help: 'How often everything is looked at while the database can not notify.',
  }),
};

const probeSettings = (health: number, metrics: number) => ({
  healthAddress: addressSetting({
    flag: 'health-probe-bind-address',
    environment: ['MANAGED_GITOPS_HEALTH_ADDRESS'],
    fallback: loopback(health),
    help: 'Where /healthz and /readyz are served; 0 for nowhere.',
  }),
  metricsAddress: addressSetting({
    flag: 'metrics-bind-address',
    environment: ['MANAGED_GITOPS_METRICS_ADDRESS'],
    fallback: loopback(metrics),
    help: 'Where /metrics is served; 0 for nowhere.',
  }),
});

const automatic = ['auto', 'on', 'off'] as const;

const isolationSettings = {
  ownNamespaceOnly: choiceSetting({
    flag: 'own-namespace-only',
    environment: ['MANAGED_GITOPS_OWN_NAMESPACE_ONLY'],
    choices: automatic,
    fallback: 'auto',
    help: 'Tenants deploy to their own namespace of this cluster only. auto: on, but off for a database of the original.',
  }),
};

const admissionSettings = {
  webhooks: choiceSetting({
    flag: 'webhooks',
    environment: ['MANAGED_GITOPS_WEBHOOKS'],
    choices: automatic,
    fallback: 'auto',
    help: 'Serve admission webhooks. auto: once there is a certificate. on: the process is not ready without one.',
  }),
  webhookAddress: addressSetting({
    flag: 'webhook-bind-address',
    environment: ['MANAGED_GITOPS_WEBHOOK_ADDRESS'],
    fallback: loopback(9443),
    help: 'Where admission webhooks are served, over TLS; 0 for nowhere.',
  }),
  webhookCertificates: textSetting({
    flag: 'webhook-cert-dir',
    environment: ['MANAGED_GITOPS_WEBHOOK_CERT_DIR'],
    fallback: '/tmp/k8s-webhook-server/serving-certs',
    placeholder: 'folder',
    help: 'Holds tls.crt and tls.key for the webhooks. A change is taken without a restart.',
  }),
  webhooksDisabled: originalWebhookSwitch,
};

const backendOnly = {
  projectIsolation: choiceSetting({
    flag: 'project-isolation',
    environment: ['MANAGED_GITOPS_PROJECT_ISOLATION'],
    choices: automatic,
    fallback: 'auto',
    help: 'An AppProject for each tenant. auto: on, but as it was for a database of the original.',
  }),
  originalIsolation: switchSetting({
    flag: 'enable-appproject-isolation',
    environment: ['ENABLE_APPPROJECT_ISOLATION'],
    fallback: false,
    help: "The original's name for --project-isolation=on.",
  }),
  migrate: switchSetting({
    flag: 'migrate',
    environment: ['MANAGED_GITOPS_MIGRATE'],
    fallback: true,
    help: "Bring the database to this release's schema at start.",
  }),
  standardConditions: switchSetting({
    flag: 'standard-conditions',
    environment: ['MANAGED_GITOPS_STANDARD_CONDITIONS'],
    fallback: true,
    help: 'Write the conditions Ready, Reconciling and Stalled.',
  }),
  secondLookMs: durationSetting({
    flag: 'second-look',
    environment: ['MANAGED_GITOPS_SECOND_LOOK'],
    fallback: 10_000,
    help: 'How long after a first look an absence, whose deletion was not seen, is believed.',
  }),
  maxUnseenDeletions: integerSetting({
    flag: 'max-unseen-deletions',
    environment: ['MANAGED_GITOPS_MAX_UNSEEN_DELETIONS'],
    fallback: 50,
    min: 0,
    max: 1_000_000,
    help: 'How many deployments may be missing at once, without their deletion having been seen, and still be removed.',
  }),
  redeliverMs: durationSetting({
    flag: 'redeliver',
    environment: ['MANAGED_GITOPS_REDELIVER'],
    fallback: 15_000,
    help: 'How long an Operation may wait before it is shown to the agent again.',
  }),
  retryFailedMs: durationSetting({
    flag: 'retry-failed',
    environment: ['MANAGED_GITOPS_RETRY_FAILED'],
    fallback: 600_000,
    help: 'How long a failed Operation stands before the resync tries it again.',
  }),
  foreignAgeMs: durationSetting({
    flag: 'foreign-operation-age',
    environment: ['MANAGED_GITOPS_FOREIGN_OPERATION_AGE'],
    fallback: 86_400_000,
    help: "How long the original's ended Operations are kept.",
  }),
};

const agentOnly = {
  tenantConcurrency: integerSetting({
    flag: 'tenant-concurrency',
    environment: ['MANAGED_GITOPS_TENANT_CONCURRENCY'],
    fallback: 4,
    min: 1,
    max: 256,
    help: 'Passes at once for one namespace in the agent. In the backend each namespace has one.',
  }),
  blockedAfterMs: durationSetting({
    flag: 'blocked-after',
    environment: ['MANAGED_GITOPS_BLOCKED_AFTER'],
    fallback: 30_000,
    help: 'How long a deletion may take before the user is told what blocks it.',
  }),
  orphanAgeMs: durationSetting({
    flag: 'orphan-age',
    environment: ['MANAGED_GITOPS_ORPHAN_AGE'],
    fallback: 3_600_000,
    help: 'How old a Secret in the namespace of Argo CD has to be before it is removed for having no row.',
  }),
  orphanSecondLookMs: durationSetting({
    flag: 'orphan-second-look',
    environment: ['MANAGED_GITOPS_ORPHAN_SECOND_LOOK'],
    fallback: 600_000,
    help: 'How long after a first look a Secret without a row is looked at again, and then removed.',
  }),
  maxOrphans: integerSetting({
    flag: 'max-orphans',
    environment: ['MANAGED_GITOPS_MAX_ORPHANS'],
    fallback: 50,
    min: 0,
    max: 1_000_000,
    help: 'How many Secrets may be without a row at once, and still be removed.',
  }),
};

/** Settings of `backend`. The ports are the original's. */
export const backendSettings = {
  ...commonSettings,
  ...clusterSettings,
  ...probeSettings(18_081, 18_080),
  ...admissionSettings,
  ...encryptionSettings,
  ...outsideSettings,
  ...backendOnly,
};

/** Settings of `agent`. The ports are the original's. */
export const agentSettings = {
  ...commonSettings,
  ...clusterSettings,
  ...probeSettings(8083, 8082),
  ...encryptionSettings,
  ...isolationSettings,
  ...agentOnly,
};

/** Settings of `all`: backend and agent in one process. */
export const allSettings = { ...backendSettings, ...isolationSettings, ...agentOnly };

/** Settings of `keys rotate`. */
export const keysSettings = { ...commonSettings, ...encryptionSettings };

/** Settings of `migrate`. */
export const migrateSettings = commonSettings;
