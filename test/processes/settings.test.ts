import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SettingSchema } from '../../src/lib/config.ts';
import { agentSettings, allSettings, backendSettings, migrateSettings } from '../../src/main/settings.ts';
import { managedGitops, temporaryFolder } from './command.ts';

interface Case {
  readonly what: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Files by name, in the folder that the process starts in. */
  readonly files?: Readonly<Record<string, string>>;
  readonly says: string | RegExp;
}

const kubeconfig = (context: string): string => `apiVersion: v1
kind: Config
current-context: ${context}
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: canary-token}}]
contexts: [{name: here, context: {cluster: c, user: u}}]
`;

const cases: readonly Case[] = [
  {
    what: 'a flag with a wrong value',
    args: ['backend', '--concurrency=0'],
    says: '--concurrency must be a whole number from 1 to 256, not "0"',
  },
  {
    what: 'a flag without its value',
    args: ['agent', '--kubeconfig'],
    says: "option '--kubeconfig <file>' argument missing (--help tells more)",
  },
  {
    what: 'a word that is not one of the choices',
    args: ['all', '--log-level', 'loud'],
    says: /^--log-level must be one of debug, .*, not "loud"$/,
  },
  {
    what: 'a duration without its unit',
    args: ['backend', '--resync=5'],
    says: /^--resync must be a duration such as .*, not "5"$/,
  },
  {
    what: 'an address that is none',
    args: ['agent', '--metrics-bind-address=here'],
    says: /^--metrics-bind-address must be \[host\]:port/,
  },
  {
    what: 'a variable with a wrong value',
    args: ['agent'],
    environment: { MANAGED_GITOPS_TENANT_CONCURRENCY: 'many' },
    says: 'MANAGED_GITOPS_TENANT_CONCURRENCY must be a whole number from 1 to 256, not "many"',
  },
  {
    what: "a variable of the original's with a wrong value",
    args: ['migrate'],
    environment: { DEV_ONLY_ALLOW_NON_TLS_CONNECTION_TO_POSTGRESQL: 'perhaps' },
    says: 'DEV_ONLY_ALLOW_NON_TLS_CONNECTION_TO_POSTGRESQL must be true or false, not "perhaps"',
  },
  {
    what: 'a database URL that is none, which may hold a password',
    args: ['migrate'],
    environment: { MANAGED_GITOPS_DATABASE_URL: 'postgres://user:canary-token@host:99999/name' },
    says: 'MANAGED_GITOPS_DATABASE_URL must be a URL such as postgresql://user:password@host:5432/name',
  },
  {
    what: 'a namespace whose name none can have',
    args: ['agent'],
    environment: { ARGO_CD_NAMESPACE: 'Argo CD' },
    says: 'ARGO_CD_NAMESPACE must be the name of a namespace, not "Argo CD"',
  },
  {
    what: 'an unknown flag, with the one that was meant',
    args: ['backend', '--concurency=3'],
    says: "unknown option '--concurency=3' (Did you mean --concurrency?) (--help tells more)",
  },
  {
    what: 'an unknown command',
    args: ['bakend'],
    says: "unknown command 'bakend' (Did you mean backend?) (--help tells more)",
  },
  { what: 'a word too many', args: ['agent', 'now'], says: /^too many arguments for 'agent'/ },
  {
    what: 'a kubeconfig that is not there',
    args: ['backend', '--kubeconfig=nowhere'],
    says: /^the kubeconfig can't be read: ENOENT.*'nowhere'$/,
  },
  {
    what: 'no kubeconfig anywhere',
    args: ['backend'],
    says: /^the kubeconfig can't be read: ENOENT.*\/\.kube\/config'$/,
  },
  {
    what: 'a kubeconfig that is no YAML',
    args: ['agent', '--kubeconfig=config'],
    files: { config: 'clusters: [' },
    says: /^invalid kubeconfig: /,
  },
  {
    what: 'a kubeconfig whose context is not in it',
    args: ['agent', '--kubeconfig=config'],
    files: { config: kubeconfig('there') },
    says: /^invalid kubeconfig: .*"there"/,
  },
  {
    what: 'a kubeconfig without a context',
    args: ['backend'],
    environment: { KUBECONFIG: 'config' },
    files: { config: kubeconfig('""') },
    says: /^invalid kubeconfig: .*current-context/,
  },
];

/** A line of a file of keys. */
const keyLine = `k1:${Buffer.alloc(32, 1).toString('base64')}`;

const encryptionCases: readonly Case[] = [
  ...['backend', 'agent', 'all'].map((half) => ({
    what: `encryption beside the original (${half})`,
    args: [half, '--encryption-key-file=keys', '--compat=original'],
    files: { keys: keyLine },
    says: /^--encryption-key-file and --compat=original exclude each other: /,
  })),
  {
    what: 'a line of the key file that is no key, without what stands there',
    args: ['agent', '--encryption-key-file=keys'],
    files: { keys: `${keyLine}\nk2:canary-token\n` },
    says: 'line 2 of keys is no key; write it as <name>:<32 bytes in base64>',
  },
  {
    what: 'a key file that is not there',
    args: ['backend'],
    environment: { MANAGED_GITOPS_ENCRYPTION_KEY_FILE: 'nowhere' },
    says: /^the file of --encryption-key-file can't be read: ENOENT.*'nowhere'$/,
  },
  { what: 'no key file to rotate with', args: ['keys', 'rotate'], says: 'keys rotate needs --encryption-key-file' },
];

/** The lines that are not log: the one that tells what is wrong, without the command's name. */
const complaints = (errors: string): string[] =>
  errors
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .map((line) => line.replace(/^managed-gitops: /, ''));

describe.concurrent('a wrong setting', { timeout: 30_000 }, () => {
  it.each([...cases, ...encryptionCases])(
    'is told in one line that names it: $what',
    async ({ args, environment, files = {}, says }) => {
      await using folder = await temporaryFolder();
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text);
      await using running = managedGitops(args, { folder: folder.path, ...(environment && { environment }) });
      const { code, out, errors } = await running.whenEnded;
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(complaints(errors)).toEqual([typeof says === 'string' ? says : expect.stringMatching(says)]);
      expect(errors).not.toContain('canary-token');
    },
  );

  it('is told in one line that names it: a port that is taken', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'config'), kubeconfig('here'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo; // it listens on TCP
      const args = ['agent', '--kubeconfig=config', `--health-probe-bind-address=:${port}`];
      await using running = managedGitops(args, { folder: folder.path });
      const { code, errors } = await running.whenEnded;
      expect(code).toBe(1);
      expect(complaints(errors)).toEqual([expect.stringContaining(`can't listen on 127.0.0.1:${port}`)]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});

describe.concurrent('help', { timeout: 30_000 }, () => {
  it.each(
    Object.entries({ backend: backendSettings, agent: agentSettings, all: allSettings, migrate: migrateSettings }),
  )('of %s has each flag with its variables', async (kind, schema: SettingSchema) => {
    await using folder = await temporaryFolder();
    await using running = managedGitops([kind, '--help'], { folder: folder.path });
    const { code, out, errors } = await running.whenEnded;
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const text = out.replaceAll(/\s+/g, ' ');
    for (const { flag, environment, help } of Object.values(schema)) {
      expect(text).toMatch(new RegExp(` --${flag} [\\[<]`));
      expect(text).toContain(`${help} (env: ${environment.join(', ')})`);
    }
  });
});
