#!/usr/bin/env node
// The binary: one command for each role of the service.
import { Command, Option } from 'commander';
import { parseSettings, type SettingSchema } from '../lib/config.ts';
import { isFault, messageOf } from '../lib/fault.ts';
import type { Environment } from './platform.ts';
import { agentProcess, allProcess, backendProcess, migrateProcess, type ProcessKind } from './processes.ts';

const addProcess = <S extends SettingSchema>(
  program: Command,
  {
    name,
    kind,
    environment,
  }: { readonly name: string; readonly kind: ProcessKind<S>; readonly environment: Environment },
): void => {
  const command = program.command(name).description(kind.summary);
  for (const setting of Object.values(kind.schema)) {
    const flags = `--${setting.flag} ${setting.placeholder === '' ? '[true|false]' : `<${setting.placeholder}>`}`;
    command.addOption(new Option(flags, `${setting.help} (env: ${setting.environment.join(', ')})`));
  }
  command.action(async () => {
    const given: Record<string, unknown> = command.opts();
    const flags = Object.fromEntries(
      Object.values(kind.schema).map((setting) => {
        const value = given[camelCase(setting.flag)];
        return [setting.flag, value === true ? 'true' : typeof value === 'string' ? value : undefined];
      }),
    );
    await kind.run(parseSettings(kind.schema, { flags, environment }), environment);
  });
};

const camelCase = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const main = async (): Promise<void> => {
  const environment: Environment = process.env;
  const program = new Command('managed-gitops')
    .description("GitOps as a Kubernetes API in every team's own namespace, carried out by one shared Argo CD.")
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true });
  addProcess(program, { name: 'backend', kind: backendProcess, environment });
  addProcess(program, { name: 'agent', kind: agentProcess, environment });
  addProcess(program, { name: 'all', kind: allProcess, environment });
  addProcess(program, { name: 'migrate', kind: migrateProcess, environment });
  await program.parseAsync();
};

try {
  await main();
} catch (error) {
  const told = isFault(error, 'user') || isFault(error, 'waiting');
  process.stderr.write(`managed-gitops: ${told ? messageOf(error) : ((error as Error).stack ?? String(error))}\n`); // what is no Fault is a defect: its stack helps
  process.exitCode = 1;
}
