// What the commands that run on settings have in common.
import { redactedSettings, type Settings, type SettingSchema, type SettingValues } from '../lib/config.ts';
import type { Environment } from './environment.ts';
import { createPlatform, type Platform } from './platform.ts';
import type { migrateSettings } from './settings.ts';

/** A process: what it is for, its settings, and how it runs to its end. */
export interface ProcessKind<S extends SettingSchema> {
  readonly summary: string;
  readonly schema: S;
  /** `ignored` names what was given for the original and means nothing here. */
  run(settings: Settings<S>, environment: Environment, ignored: readonly string[]): Promise<void>;
}

/** The platform of a process, whose log begins with its settings. */
export const announce = <S extends SettingSchema>(
  kind: { readonly name: string; readonly schema: S; readonly ignored: readonly string[] },
  settings: Settings<S>,
): Platform => {
  const { logLevel } = settings.values as SettingValues<typeof migrateSettings>; // every schema has the common settings
  const platform = createPlatform(logLevel, kind.name);
  platform.log.info('starting', { config: redactedSettings(kind.schema, settings) });
  if (kind.ignored.length > 0) {
    platform.log.info(`settings of the original that mean nothing here: ${kind.ignored.join(', ')}`);
  }
  return platform;
};
