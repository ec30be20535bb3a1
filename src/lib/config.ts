// Settings: each with a flag, environment variables and a default, parsed once into a frozen value.
import { Fault, messageOf } from './fault.ts';

/** One setting. `environment` lists variable names, first hit wins; the last ones are those of the original. */
export interface Setting<T> {
  readonly flag: string;
  readonly environment: readonly string[];
  /** What stands after the flag in `--help`; empty for a switch. */
  readonly placeholder: string;
  readonly help: string;
  readonly fallback: T;
  /** @throws Error whose message says what is allowed. */
  readonly parse: (text: string) => T;
  /** Never printed: shown as `***` when set. A URL that may hold a password is one. */
  readonly secret?: boolean;
  /** How a value is printed that is not a text, number or switch. */
  show?(value: T): string;
  /** True where an empty text is a value. Elsewhere a variable that is empty counts as one that is not set. */
  readonly emptyIsValue?: boolean;
}

/** Settings by name. */
export type SettingSchema = Readonly<Record<string, Setting<unknown>>>;

/** The values of a schema. */
export type SettingValues<S extends SettingSchema> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

/** Parsed settings. */
export interface Settings<S extends SettingSchema> {
  readonly values: SettingValues<S>;
}

interface Describe<T> {
  readonly flag: string;
  readonly environment: readonly string[];
  readonly help: string;
  readonly fallback: T;
  readonly placeholder?: string;
}

/** A text; `secret` ones are never printed. */
export const textSetting = (described: Describe<string> & { readonly secret?: boolean }): Setting<string> => ({
  placeholder: 'text',
  emptyIsValue: true,
  ...described,
  parse: (text) => text,
});

/** A whole number between `min` and `max`. */
export const integerSetting = (
  described: Describe<number> & { readonly min: number; readonly max: number },
): Setting<number> => ({
  placeholder: 'n',
  ...described,
  parse(text) {
    const value = Number(text);
    if (/^-?\d+$/.test(text.trim()) && value >= described.min && value <= described.max) return value;
    throw new Error(`must be a whole number from ${described.min} to ${described.max}`);
  },
});

/** `true` or `false` in any case; the bare flag means true. */
export const switchSetting = (described: Describe<boolean>): Setting<boolean> => ({
  placeholder: '',
  ...described,
  parse(text) {
    const word = text.trim().toLowerCase();
    if (word === 'true' || word === 'false') return word === 'true';
    throw new Error('must be true or false');
  },
});

/** One of a few words. */
export const choiceSetting = <const T extends string>(
  described: Describe<T> & { readonly choices: readonly T[] },
): Setting<T> => ({
  placeholder: described.choices.join('|'),
  ...described,
  parse(text) {
    const choice = described.choices.find((one) => one === text.trim());
    if (choice !== undefined) return choice;
    throw new Error(`must be one of ${described.choices.join(', ')}`);
  },
});

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const MAX_DURATION_MS = 366 * 24 * 3_600_000;

/**
 * A duration such as `500ms`, `15s` or `1h30m`; the value is in milliseconds. From 1 ms, since what is done every so
 * often must not be done without a pause, to a year.
 */
export const durationSetting = (described: Describe<number>): Setting<number> => ({
  placeholder: 'duration',
  ...described,
  parse(text) {
    const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
    const value = parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (UNITS_MS[unit] ?? 0), 0);
    const isWhole = parts.map(([part]) => part).join('') === text.trim();
    if (isWhole && value >= 1 && value <= MAX_DURATION_MS) return value;
    throw new Error('must be a duration such as 500ms, 15s or 1h30m, of a year at most');
  },
});

/** `host:port`, `[IPv6]:port`, or `:port` for the loopback interface; `0` turns the listener off. */
export const addressSetting = (described: Describe<Address>): Setting<Address> => ({
  placeholder: '[host]:port',
  ...described,
  parse(text) {
    if (text.trim() === '0') return { host: '', port: 0, off: true };
    const [, ipv6, host, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text.trim()) ?? [];
    const port = Number(digits);
    if (port <= 65_535) return { host: ipv6 || host || '127.0.0.1', port, off: false }; // NaN is not
    throw new Error('must be [host]:port, or 0 for none');
  },
  show: ({ host, port, off }) => (off ? '0' : `${host.includes(':') ? `[${host}]` : host}:${port}`),
});

/** Where a server listens. Port 0 with `off: false` lets the system choose. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly off: boolean;
}

/**
 * Parses settings: a flag wins over the environment, which wins over the default. A variable that exists but is empty
 * counts as set for a text, as it did for the original: an empty password is one. For a number, a switch and the like it
 * counts as not set, since templates write variables for which nobody gave a value. An empty flag is an error there.
 * @throws Fault('user', 'InvalidSetting') that names the flag or variable, one line.
 */
export const parseSettings = <S extends SettingSchema>(
  schema: S,
  from: {
    readonly flags: Readonly<Record<string, string | undefined>>;
    readonly environment: Readonly<Record<string, string | undefined>>;
  },
): Settings<S> => {
  const values = Object.entries(schema).map(([name, setting]) => {
    const found = find(setting, from);
    return [name, found ? parseNamed(setting, found.name, found.text) : setting.fallback];
  });
  return Object.freeze({
    values: Object.freeze(Object.fromEntries(values)) as SettingValues<S>, // each was made by its own setting's parse
  });
};

const find = (
  setting: Setting<unknown>,
  from: Parameters<typeof parseSettings>[1],
): { name: string; text: string } | undefined => {
  const flag = from.flags[setting.flag];
  if (flag !== undefined) return { name: `--${setting.flag}`, text: flag };
  for (const name of setting.environment) {
    const text = from.environment[name];
    if (text !== undefined && (text.trim() !== '' || setting.emptyIsValue)) return { name, text };
  }
  return undefined;
};

const parseNamed = (setting: Setting<unknown>, name: string, text: string): unknown => {
  try {
    return setting.parse(text);
  } catch (error) {
    const shown = setting.secret ? '' : `, not ${JSON.stringify(text)}`;
    throw new Fault('user', 'InvalidSetting', `${name} ${messageOf(error)}${shown}`);
  }
};

/** The settings as they may be logged, by flag: secrets that are set show as `***`. */
export const redactedSettings = <S extends SettingSchema>(schema: S, settings: Settings<S>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(schema).map(([name, setting]) => {
      const value = settings.values[name];
      const shown = setting.show ? setting.show(value) : value;
      return [setting.flag, setting.secret && value !== '' ? '***' : shown];
    }),
  );
