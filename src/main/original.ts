// What a command line or environment made for the original may hold, and what becomes of it.
import type { Setting } from '../lib/config.ts';
import type { Environment } from './environment.ts';

/** Flags of the original that are accepted and have no meaning here: nobody has to edit a manifest to swap a half. */
export const originalFlags: readonly string[] = [
  'leader-elect',
  'profiler-address',
  'zap-devel',
  'zap-encoder',
  'zap-log-level',
  'zap-stacktrace-level',
  'zap-time-encoding',
];

const originalVariables: readonly string[] = [
  'ENABLE_PROFILING',
  'ENABLE_UNRELIABLE_DB',
  'UNRELIABLE_DB_FAILURE_RATE',
  'ENABLE_UNRELIABLE_CLIENT',
  'UNRELIABLE_CLIENT_FAILURE_RATE',
];

/** The flags and variables of the original that are set and mean nothing here, to be said once. */
export const ignoredOfOriginal = (flags: readonly string[], environment: Environment): readonly string[] => [
  ...originalFlags.filter((flag) => flags.includes(flag)).map((flag) => `--${flag}`),
  ...originalVariables.filter((name) => environment[name] !== undefined),
];

/** The Leases of the original's halves, in the namespace that they run in. */
export const originalLeases = { backend: '5a3f596c.redhat.com', agent: '11d017ea.redhat.com' } as const;

const MINUTE_MS = 60_000;
/** Long enough to be never, short enough for a timer. */
const NEVER_MS = 2_000_000_000;

/**
 * The original's interval of self-healing: whole minutes; 0 or less turned it off, and what was no number counted as
 * the default, which is undefined here.
 */
export const selfHealInterval: Setting<number | undefined> = {
  flag: 'self-heal-interval',
  environment: ['SELF_HEAL_INTERVAL'],
  placeholder: 'minutes',
  help: "The original's setting for --resync, in minutes; 0 for never.",
  fallback: undefined,
  parse(text) {
    if (!/^[+-]?\d+$/.test(text)) return undefined;
    const minutes = Number(text);
    return minutes > 0 ? Math.min(minutes * MINUTE_MS, NEVER_MS) : NEVER_MS;
  },
};

/** The original's way to turn its webhooks off: `true` in any case; every other text left them on. */
export const originalWebhookSwitch: Setting<boolean> = {
  flag: 'disable-appstudio-webhook',
  environment: ['DISABLE_APPSTUDIO_WEBHOOK'],
  placeholder: '',
  help: "The original's name for --webhooks=off.",
  fallback: false,
  parse: (text) => text.trim().toLowerCase() === 'true',
};
