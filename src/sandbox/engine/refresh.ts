// Compares an Application, decides on an automated sync, and writes what was found into its status.
import { rfc3339, type Clock } from '../../lib/clock.ts';
import { mergePatch } from '../../kube/patch.ts';
import type { Due } from './agenda.ts';
import { decideAutoSync, type AutoSyncDecision } from './auto-sync.ts';
import type { Clusters } from './clusters.ts';
import type { Comparison } from './comparison.ts';
import { mergeConditions } from './conditions.ts';
import type { FindProject, PassContext } from './operate.ts';
import { validateSpec } from './project.ts';
import type { Application, ApplicationStatus, Condition } from './shapes.ts';
import type { WriteStatus } from './status-writer.ts';
import { isEqualJson } from '../../kube/patch.ts';

/** What a comparison can find, so what is resolved when it finds it no more. */
const FOUND_BY_COMPARING = [
  'InvalidSpecError',
  'ComparisonError',
  'SyncError',
  'RepeatedResourceWarning',
  'SharedResourceWarning',
];
const FULL_ID = /^[0-9a-f]{40,64}$/;

/** The commit of the last comparison of the same source, or the name of the revision. */
const revisionFor = ({ spec, status }: Application, { level }: Due): string => {
  const compared = status?.sync;
  const recent = compared?.revision ?? '';
  const same = isEqualJson(compared?.comparedTo?.source, spec.source);
  return level === 'recent' && same && FULL_ID.test(recent) ? recent : (spec.source?.targetRevision ?? '');
};

const invalidStatus = (application: Application, conditions: Condition[]): ApplicationStatus => {
  const { spec, status } = application;
  const comparedTo = status?.sync?.comparedTo ?? {
    destination: spec.destination,
    ...(spec.source ? { source: spec.source } : {}),
  };
  return {
    ...status,
    conditions,
    sync: { ...status?.sync, comparedTo, status: 'Unknown' },
    health: { status: 'Unknown' },
  };
};

const comparedStatus = (
  { spec, status }: Application,
  found: Comparison,
  conditions: Condition[],
): ApplicationStatus => ({
  ...status,
  conditions,
  resources: found.resources,
  sync: {
    status: found.sync,
    comparedTo: { destination: spec.destination, ...(spec.source ? { source: spec.source } : {}) },
    revision: found.revision,
  },
  health: { status: found.health },
  sourceType: found.sourceType || status?.sourceType,
  summary: found.images.length > 0 ? { images: [...found.images] } : {},
});

/** Creates the function that refreshes one Application; it says when self-heal wants to look again. */
export const createRefresh = (parts: {
  readonly clusters: Clusters;
  readonly write: WriteStatus;
  readonly findProject: FindProject;
  readonly clock: Clock;
  readonly selfHealAfterMs: number;
}) => {
  const { clusters, write, findProject, clock, selfHealAfterMs } = parts;

  const decide = (application: Application, found: Comparison): AutoSyncDecision =>
    decideAutoSync(application, { ...found, nowMs: clock.now(), selfHealAfterMs });

  return async (application: Application, due: Due, { signal, log }: PassContext): Promise<number | undefined> => {
    const now = rfc3339(clock.now());
    const merged = (found: readonly Condition[]): Condition[] =>
      mergeConditions(application.status?.conditions, found, { evaluated: FOUND_BY_COMPARING, now });
    const project = await findProject(application, signal);
    const cluster = clusters.find(application.spec.destination);
    const invalid = validateSpec(application, project, cluster);
    const { source } = application.spec;
    if (!project || !source || typeof cluster === 'string' || invalid.length > 0) {
      await write(application, { status: invalidStatus(application, merged(invalid)), refreshed: true }, signal);
      return undefined;
    }
    const revision = revisionFor(application, due);
    const found = await cluster.comparer.compare({ application, project, source, revision, signal });
    const { operation, condition, afterMs } = decide(application, found);
    const conditions = merged([...found.conditions, ...(condition ? [condition] : [])]);
    const status = comparedStatus(application, found, conditions);
    const moved = due.dated || mergePatch(application.status ?? {}, status) !== undefined;
    const dated = moved ? { ...status, reconciledAt: now } : status;
    if (operation) {
      log.info(`initiated automated sync to '${found.revision}'`);
      await write(application, { status: { ...dated, operationState: undefined }, operation, refreshed: true }, signal);
    } else await write(application, { status: dated, refreshed: true }, signal);
    return afterMs;
  };
};
