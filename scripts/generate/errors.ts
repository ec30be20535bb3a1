// `docs/errors.md`: every reason, whose turn it is and what to do.
import { reasons } from '../../src/api/reasons.ts';
import { platformReasons, type ReasonEntry } from '../../src/lib/reasons.ts';
import type { GeneratedFile } from './generated-file.ts';

const TURN_BY_KIND = { user: 'team', waiting: 'nobody', internal: 'operator' } as const;

const AGAIN_BY_KIND = {
  user: 'when the object, or what it refers to, changes; and at the slow resync',
  waiting: 'shortly, or when what it waits for changes',
  internal: 'by itself, after growing pauses',
} as const;

/** The page, from both tables. */
export const errorsPage = (): GeneratedFile => ({
  path: 'docs/errors.md',
  text: `<!-- Made by \`npm run generate\` from src/api/reasons.ts and src/lib/reasons.ts. Changes made here are lost. -->

# Errors

A reason is one word that stays the same from release to release. It stands in conditions, in events and in logs, beside a
message that is made for the case at hand. _Whose turn_ says who can mend it: the **team** that owns the object, the
**operator** of the service, or **nobody**, because it passes by itself.

An error of the service's own making is shown to the team as \`an unknown error occurred\` with a run id; the operator finds
the whole of it in the log under that id.

## GitOps

${sections(reasons)}

## The process, its cluster and its database

These stand in the log of the process, and on its last line when it can't start.

${sections(platformReasons)}
`,
});

const sections = (entries: Readonly<Record<string, ReasonEntry>>): string =>
  Object.entries(entries)
    .map(([reason, entry]) => section(reason, entry))
    .join('\n\n');

const section = (reason: string, entry: ReasonEntry): string =>
  [
    `### ${reason}`,
    '',
    entry.summary,
    '',
    `- **Whose turn**: ${entry.turn ?? TURN_BY_KIND[entry.kind]}`,
    `- **Tried again**: ${AGAIN_BY_KIND[entry.kind]}`,
    `- **What to do**: ${entry.remedy}`,
  ].join('\n');
