// The reasons of faults that have nothing to do with GitOps: what the process itself, its cluster or its database do.
import type { FaultKind } from './fault.ts';

/** What a reason means. The table of all of them is also the documentation. */
export interface ReasonEntry {
  readonly kind: FaultKind;
  /** Whose turn it is; by default a `user` fault is the team's, an `internal` one the operator's, `waiting` nobody's. */
  readonly turn?: 'team' | 'operator' | 'nobody';
  /** What has happened, in one sentence. */
  readonly summary: string;
  /** What to do about it, in one or two sentences. */
  readonly remedy: string;
}

/** The platform's reasons. A fault in `lib`, `kube`, `runtime`, `db`, `main` or `sandbox` has one of these. */
export const platformReasons = {
  InvalidYaml: {
    kind: 'user',
    summary: 'A text that should be YAML is none; the message has line and column.',
    remedy: 'Correct the text at that place.',
  },
  InvalidSetting: {
    kind: 'user',
    turn: 'operator',
    summary: 'A setting given by flag or environment variable has a value that is not allowed, or is missing.',
    remedy: 'The message names the setting and what it takes. Correct it and start again.',
  },
  InvalidKubeconfig: {
    kind: 'user',
    turn: 'operator',
    summary: 'The kubeconfig cannot be used: it is missing, incomplete or inconsistent.',
    remedy: 'The message names the part. Correct the file, or name another with `--kubeconfig` or `KUBECONFIG`.',
  },
  PortInUse: {
    kind: 'user',
    turn: 'operator',
    summary: 'A port that the process should listen on is taken.',
    remedy: 'Stop what listens there, or choose another port.',
  },
  ApiUnavailable: {
    kind: 'internal',
    summary: 'The API server cannot be reached, or did not answer in time.',
    remedy:
      'Nothing is lost: the work is done when it answers again. If it stays, look at the API server and the network.',
  },
  ApiRefused: {
    kind: 'internal',
    summary: 'The API server answered, and refused what was asked.',
    remedy: 'The log has its answer. Most often a permission is missing: compare the ClusterRole with the manifests.',
  },
  ApiAnswerUnreadable: {
    kind: 'internal',
    summary: 'What answered at the address of the API server is not what an API server sends.',
    remedy: 'Check the address in the kubeconfig, and whether a proxy stands between.',
  },
  ApiOutcomeUnknown: {
    kind: 'internal',
    summary: 'The connection to the API server broke during a write, so whether it happened is not known.',
    remedy: 'Nothing to do: the object is looked at again and only what is missing is done.',
  },
  DatabaseUnavailable: {
    kind: 'internal',
    summary: 'PostgreSQL cannot be reached, or did not answer in time.',
    remedy:
      'Nothing is lost: the work is done when it answers again. If it stays, look at the database and the network.',
  },
  DatabaseRefused: {
    kind: 'internal',
    summary: 'PostgreSQL answered, and refused a statement.',
    remedy: 'The log has its answer and the name of the statement. It is tried again; if it stays, report it.',
  },
  DatabaseNotStarted: {
    kind: 'internal',
    summary: 'The PostgreSQL of the sandbox could not be started.',
    remedy: 'The message says what PostgreSQL said. Free disk space or the port, or give the URL of another database.',
  },
  PostgresqlNotFound: {
    kind: 'user',
    turn: 'operator',
    summary: 'The sandbox found no PostgreSQL, neither in a package nor on the machine.',
    remedy: 'Install PostgreSQL 15 or newer, or give the URL of a database.',
  },
  NoUnprivilegedAccount: {
    kind: 'user',
    turn: 'operator',
    summary: 'PostgreSQL does not run as root, and the machine has no other account to run it as.',
    remedy: 'Start the sandbox as an ordinary user, or give the URL of a database.',
  },
  OtherPostgresqlRelease: {
    kind: 'user',
    turn: 'operator',
    summary: 'The folder holds the data of another major release of PostgreSQL than the one found.',
    remedy: 'Name another folder, or install the release that made the data.',
  },
  CommitUnknown: {
    kind: 'internal',
    summary: 'The connection to PostgreSQL broke during a commit, so whether it happened is not known.',
    remedy: 'Nothing to do: the work is looked at again and only what is missing is done.',
  },
  SchemaTooNew: {
    kind: 'user',
    turn: 'operator',
    summary: 'The database was migrated by a newer release, which says that this one cannot work on it.',
    remedy: 'Run the newer release, or restore the backup made before it.',
  },
  SchemaUnknown: {
    kind: 'user',
    turn: 'operator',
    summary: 'The database holds tables, but not in a state from which this release can go on.',
    remedy:
      'The message says what is different. Name the right database, or bring it to the version that is asked for.',
  },
  SchemaNotReady: {
    kind: 'waiting',
    turn: 'operator',
    summary: 'The database has not been migrated yet.',
    remedy: 'Start the backend or run `managed-gitops migrate`; this process goes on by itself then.',
  },
  LostLease: {
    kind: 'internal',
    turn: 'nobody',
    summary: 'Another replica has taken over, or the Lease could not be renewed in time.',
    remedy: 'Nothing to do: work stops here and goes on where the Lease is.',
  },
  Stopping: {
    kind: 'internal',
    turn: 'nobody',
    summary: 'The process is being stopped.',
    remedy: 'Nothing to do: what was left undone is done by the next process.',
  },
  GitFailed: {
    kind: 'user',
    summary: 'The sandbox could not read the Git repository.',
    remedy: 'The message has what git says. Correct the URL, or make the repository readable.',
  },
  UnknownRevision: {
    kind: 'user',
    summary: 'The Git repository has no branch, tag or commit of that name.',
    remedy: 'Correct `spec.source.targetRevision`, or push what it names.',
  },
  InvalidSource: {
    kind: 'user',
    summary: 'The source is of a kind, or names a folder, that the sandbox cannot deploy.',
    remedy: 'The message names what. Correct `spec.source`.',
  },
  InvalidManifest: {
    kind: 'user',
    summary: 'A file in the repository should be a manifest and is none.',
    remedy: 'The message names the file. Correct it and push.',
  },
  NotManaged: {
    kind: 'user',
    summary: 'The repository holds an object that the environment does not allow: of another namespace, or of none.',
    remedy: 'The message names it. Move it, or widen `spec.namespaces` or `spec.clusterResources` of the environment.',
  },
  DemoRuns: {
    kind: 'user',
    turn: 'operator',
    summary: 'A demo runs in this folder already.',
    remedy: 'Stop it, or start this one in another folder.',
  },
  GitMissing: {
    kind: 'user',
    turn: 'operator',
    summary: 'The demo found no Git on this machine.',
    remedy: 'Install git, or add its folder to `PATH`.',
  },
  DemoStepMissed: {
    kind: 'internal',
    summary: 'The demo waited for a step and did not see it.',
    remedy:
      'The message names the step and what the object says that it is about; `.cache/demo/managed-gitops.log` has the rest.',
  },
  KeyMissing: {
    kind: 'internal',
    summary: 'A secret in the database is encrypted with a key that this process was not given.',
    remedy:
      'Give backend and agent the key that the message names, beside the one that new secrets are encrypted with. If it is lost for good, see docs/encryption.md.',
  },
  SealBroken: {
    kind: 'internal',
    summary: 'A secret in the database cannot be decrypted: it was changed, or a key of the same name is another one.',
    remedy:
      'Give the right key. If it is lost, or the value was damaged, it has to be forgotten: see docs/encryption.md.',
  },
  Unexpected: {
    kind: 'internal',
    summary: 'Something failed that should not be able to fail.',
    remedy: 'It is tried again. Report it with the run id; the log has the error under that id.',
  },
} as const satisfies Readonly<Record<string, ReasonEntry>>;

/** One of the platform's reasons. */
export type PlatformReason = keyof typeof platformReasons;
