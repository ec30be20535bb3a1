// The command line of the bench.
import { parseArgs } from 'node:util';
import {
  durationSetting,
  integerSetting,
  parseSettings,
  switchSetting,
  textSetting,
  type Setting,
  type SettingValues,
} from '../../src/lib/config.ts';
import { Fault, messageOf } from '../../src/lib/fault.ts';
import type { Scenario } from './scenario.ts';

const count = (flag: string, fallback: number, help: string): Setting<number> =>
  integerSetting({ flag, environment: [], fallback, min: 1, max: 1_000_000, help });

const word = (flag: string, placeholder: string, help: string): Setting<string> =>
  textSetting({ flag, environment: [], fallback: '', placeholder, help });

const schema = {
  scenario: word('scenario', 'names', 'Which scenarios, with commas between them; or `all`. Default: all.'),
  deployments: count('deployments', 582, 'How many deployments.'),
  namespaces: count('namespaces', 291, 'In how many namespaces.'),
  rate: count('rate', 20, 'Changes a second, where a scenario has a rate.'),
  flood: count('flood', 1000, 'How many deployments the noisy tenant creates.'),
  floodAtOnce: count('flood-at-once', 4, 'How many of them it asks for at the same time.'),
  scaleTo: count('scale-to', 10_000, 'How many deployments the scenario scale ends with.'),
  forMs: durationSetting({
    flag: 'for',
    environment: [],
    fallback: 30_000,
    help: 'How long a scenario looks that has no end of its own.',
  }),
  statisticsMs: durationSetting({
    flag: 'statistics-wait',
    environment: [],
    fallback: 16_000,
    help: 'How long PostgreSQL is given to gather its counts: a session that listens tells its own every 15 s.',
  }),
  runs: count('runs', 1, 'How often all of it is repeated; what is printed are the medians.'),
  json: word('json', 'file', 'Writes all figures into this file too.'),
  kubeconfig: word('kubeconfig', 'file', 'Measures on this cluster instead of the embedded API server.'),
  real: switchSetting({
    flag: 'real',
    environment: [],
    fallback: false,
    help: 'Measures on a kube-apiserver with etcd, which it starts; builds them first, once.',
  }),
  tree: word('tree', 'folder', 'Measures the service of this source tree instead of the present one.'),
  against: word('against', 'git ref', 'Measures this version too, in turns with the present one, and compares.'),
  profileSql: switchSetting({
    flag: 'profile-sql',
    environment: [],
    fallback: false,
    help: 'Prints how often each SQL statement ran.',
  }),
  check: switchSetting({
    flag: 'check',
    environment: [],
    fallback: false,
    help: 'Ends with exit code 1 when a promise does not hold.',
  }),
};

/** What the command line says. */
export interface BenchOptions extends Omit<SettingValues<typeof schema>, 'scenario'> {
  readonly scenarios: readonly Scenario[];
}

/**
 * Reads the command line; undefined when it asks for help.
 * @throws Fault `user`, one line.
 */
export const readOptions = (args: readonly string[], known: readonly Scenario[]): BenchOptions | undefined => {
  const flags = readFlags(args);
  if ('help' in flags) return undefined;
  const { scenario, ...values } = parseSettings(schema, { flags, environment: {} }).values;
  if (values.namespaces > values.deployments) {
    throw new Fault('user', 'InvalidSetting', '--namespaces must be at most --deployments');
  }
  if (values.real && values.kubeconfig) {
    throw new Fault('user', 'InvalidSetting', '--real starts a cluster of its own: leave --kubeconfig out');
  }
  return { ...values, scenarios: chosen(scenario, known) };
};

const readFlags = (args: readonly string[]): Record<string, string> => {
  const settings: readonly Setting<unknown>[] = Object.values(schema);
  const type = (setting: Setting<unknown>) => (setting.placeholder === '' ? 'boolean' : 'string');
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean' },
        ...Object.fromEntries(settings.map((setting) => [setting.flag, { type: type(setting) }] as const)),
      },
    });
    return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
  } catch (error) {
    throw new Fault('user', 'InvalidSetting', messageOf(error).split(/\n|\. /, 1)[0] ?? '');
  }
};

const chosen = (text: string, known: readonly Scenario[]): readonly Scenario[] => {
  const all = known.filter((scenario) => scenario.inAll);
  if (text === '' || text === 'all') return all;
  return text.split(',').map((name) => {
    const scenario = known.find((one) => one.name === name.trim());
    if (scenario) return scenario;
    const names = [...known.map((one) => one.name), 'all'].join(', ');
    throw new Fault('user', 'InvalidSetting', `--scenario must be of ${names}, not ${JSON.stringify(name)}`);
  });
};

/** The text of `--help`. */
export const helpText = (known: readonly Scenario[]): string => {
  const settings: readonly Setting<unknown>[] = Object.values(schema);
  const flags = settings.map(({ flag, placeholder, help, fallback }) => {
    const unit = placeholder === 'duration' ? 'ms' : '';
    const shown = typeof fallback === 'number' ? ` Default: ${fallback}${unit}.` : '';
    return `  ${`--${flag}${placeholder && ` <${placeholder}>`}`.padEnd(24)}${help}${shown}`;
  });
  const scenarios = known.map(({ name, summary }) => `  ${name.padEnd(24)}${summary}`);
  return `Measures the service: backend and agent as processes, on a real PostgreSQL and an API server, with a played Argo CD.

Usage: npm run bench -- [flags]

${flags.join('\n')}
  --help                  This text.

Scenarios:
${scenarios.join('\n')}

Examples:
  npm run bench
  npm run bench -- --scenario steady --deployments 582 --namespaces 291 --rate 20 --runs 5 --json out.json
  npm run bench -- --scenario steady,burst --against main~20 --runs 5
  npm run bench -- --scenario scale --deployments 10000 --namespaces 1000
  npm run bench -- --scenario steady --kubeconfig ~/.kube/config
  npm run bench -- --scenario burst --profile-sql
`;
};
