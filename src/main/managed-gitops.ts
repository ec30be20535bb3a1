#!/usr/bin/env node
// The binary: one command for each role of the service.
import { Command, Option } from 'commander';
import { durationSetting, parseSettings, type SettingSchema } from '../lib/config.ts';
import { Fault, isFault, messageOf } from '../lib/fault.ts';
import { demo, demoHalves } from './demo.ts';
import { ignoredOfOriginal, originalFlags } from './original.ts';
import type { Environment } from './environment.ts';
import { rotateProcess } from './keys.ts';
import type { ProcessKind } from './process-kind.ts';
import { agentProcess, allProcess, backendProcess, migrateProcess } from './processes.ts';

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
  for (const flag of originalFlags) command.addOption(new Option(`--${flag} [value]`).hideHelp());
  command.action(async () => {
    const given: Record<string, unknown> = command.opts();
    const flags = Object.fromEntries(
      Object.values(kind.schema).map((setting) => {
        const value = given[camelCase(setting.flag)];
        return [setting.flag, value === true ? 'true' : typeof value === 'string' ? value : undefined];
      }),
    );
    const set = originalFlags.filter((flag) => given[camelCase(flag)] !== undefined);
    const settings = parseSettings(kind.schema, { flags, environment });
    await kind.run(settings, environment, ignoredOfOriginal(set, environment));
  });
};

const addDemo = (program: Command, environment: Environment): void => {
  program
    .command('demo')
    .description('Run the whole service on this machine and show one deployment on its way through it.')
    .addHelpText('after', '\nExample: managed-gitops demo --repo https://example.com/team/app.git --path deploy')
    .option('--repo <URL or folder>', 'deploy from this repository instead of the sample one; needs --path')
    .option('--path <dir>', 'the folder in it that holds the manifests')
    .option('--step-timeout <duration>', 'how long each step may take', '30s')
    .option('--stay', 'stay up after the last step, as in a terminal')
    .addOption(new Option('--without <half>', 'leave a half of the service out').choices(demoHalves).hideHelp())
    .action(async (options: Readonly<Record<string, string | undefined>> & { readonly stay?: true }) => {
      const { repo, path, stay } = options;
      if ((repo === undefined) !== (path === undefined)) {
        throw new Fault('user', 'InvalidSetting', '--repo and --path go together: name both, or neither');
      }
      const without = demoHalves.filter((half) => half === options['without']);
      const stays = stay ?? (process.stdout.isTTY && environment['CI'] !== 'true');
      await demo({ repo, path: path ?? '', without, stepMs: stepTimeout(options['stepTimeout']), stays }, environment);
    });
};

const stepTimeout = (text: string | undefined): number => {
  const setting = durationSetting({ flag: 'step-timeout', environment: [], fallback: 30_000, help: '' });
  const flags = { 'step-timeout': text };
  return parseSettings({ stepMs: setting }, { flags, environment: {} }).values.stepMs;
};

/** What is wrong with the command line, as every other error is told. */
const oneLine = (text: string): string =>
  `managed-gitops: ${text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s+/g, ' ')} (--help tells more)\n`;

const camelCase = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const main = async (): Promise<void> => {
  const environment: Environment = process.env;
  const program = new Command('managed-gitops')
    .description("GitOps as a Kubernetes API in every team's own namespace, carried out by one shared Argo CD.")
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .configureHelp({ showGlobalOptions: true });
  addProcess(program, { name: 'backend', kind: backendProcess, environment });
  addProcess(program, { name: 'agent', kind: agentProcess, environment });
  addProcess(program, { name: 'all', kind: allProcess, environment });
  addProcess(program, { name: 'migrate', kind: migrateProcess, environment });
  const keys = program
    .command('keys')
    .description("The keys that tenants' secrets in the database are encrypted with.");
  addProcess(keys, { name: 'rotate', kind: rotateProcess, environment });
  addDemo(program, environment);
  await program.parseAsync();
};

try {
  await main();
} catch (error) {
  const told = isFault(error);
  process.stderr.write(`managed-gitops: ${told ? messageOf(error) : ((error as Error).stack ?? String(error))}\n`); // what is no Fault is a defect: its stack helps
  process.exitCode = 1;
}
