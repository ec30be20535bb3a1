import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { createGitRepository } from '../kit/git-repository.ts';
import {
  isInstalled,
  isRunning,
  listens,
  managedGitops,
  managedGitopsInTerminal,
  temporaryFolder,
  type Running,
  type Surroundings,
} from './command.ts';

/** A folder to start a demo in, with an empty home and a folder of its own for temporary files. */
interface Place extends AsyncDisposable, Surroundings {
  readonly home: string;
  readonly temporary: string;
}

const aPlace = async (environment: Readonly<Record<string, string>> = { CI: 'true' }): Promise<Place> => {
  const { path: folder, [Symbol.asyncDispose]: dispose } = await temporaryFolder();
  const [home, temporary] = [join(folder, 'home'), join(folder, 'tmp')];
  await mkdir(home);
  await mkdir(temporary);
  await chmod(temporary, 0o1777); // as every folder for temporary files
  return {
    folder,
    home,
    temporary,
    environment: { HOME: home, TMPDIR: temporary, ...environment },
    [Symbol.asyncDispose]: dispose,
  };
};

const demo = (place: Place, ...args: string[]): Running => managedGitops(['demo', ...args], place);

interface Postgresql {
  readonly pid: number;
  readonly port: number;
}

/** The PostgreSQL of the demo of a place, once it runs: it writes its process and port into its data folder. */
const postgresqlOf = ({ temporary }: Place): Promise<Postgresql> =>
  eventually(
    'PostgreSQL runs',
    async () => {
      const [database] = await readdir(temporary);
      const lines = (await readFile(join(temporary, database ?? '', 'data/postmaster.pid'), 'utf8')).split('\n');
      const [pid, port] = [Number(lines[0]), Number(lines[3])];
      return pid > 0 && port > 0 ? { pid, port } : undefined;
    },
    60_000,
  );

const apiPortIn = (out: string): number => Number(/https:\/\/127\.0\.0\.1:(\d+)/.exec(out)?.[1]);

/** Waits until nothing of a demo is there: no process, no port, no temporary file, no claim of the folder. */
const expectNothingLeft = async ({ folder, temporary, home }: Place, { pid, port }: Postgresql): Promise<void> => {
  await eventually('PostgreSQL has ended', () => !isRunning(pid));
  expect(await listens(port)).toBe(false);
  await eventually('temporary files are gone', async () => (await readdir(temporary)).length === 0);
  expect(await readdir(home)).toEqual([]);
  await expect(stat(join(folder, '.cache/demo/pid'))).rejects.toThrow('ENOENT');
};

const whereIs = (program: string): string =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file)) ?? program;

const sightsOf = (out: string): string[] =>
  out.split('\n').flatMap((line) => /^ +\+\d+ ms {2}(\S.*?) {2,}\S/.exec(line)?.[1] ?? []);

const arriving = ['Application', 'Synced', 'Healthy', 'status'];
const deploying = ['object seen', 'rows', 'Operation', ...arriving];
const committing = ['in the cluster', 'status'];
const deleting = ['deployed objects', 'Application', 'rows', 'GitOpsDeployment'];
const syncing = ['it waits', 'sync run', 'status', ...deleting];
const deployingThere = ['connected', 'cluster Secret', ...arriving];
const leavingThere = [...deleting, 'cluster Secret'];
const readingPrivately = ['valid', 'repository Secret', ...arriving, ...deleting, 'repository Secret'];
const denying = ['denied'];

const page = { 'k/page.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: page\ndata:\n  text: hi\n' };

describe.concurrent('the demo', { timeout: 90_000 }, () => {
  it('shows each step, ends with success, and leaves nothing running', async () => {
    await using place = await aPlace();
    await using running = demo(place);
    const postgresql = await postgresqlOf(place);
    const { code, out, errors } = await running.whenEnded;
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(sightsOf(out)).toEqual([
      ...deploying,
      ...committing,
      ...deleting,
      ...syncing,
      ...deployingThere,
      'on the other one',
      ...leavingThere,
      ...readingPrivately,
      ...denying,
    ]);
    expect(out).toMatch(/denied +admission webhook "vgitopsdeployment\.kb\.io" denied the request: the specified sync/);
    expect(out).toMatch(/Everything was seen, [\d.]+ s after the start\.\n$/);
    expect(await listens(apiPortIn(out))).toBe(false);
    await expectNothingLeft(place, postgresql);
  });

  it.each([
    { half: 'agent', step: 'Application' },
    { half: 'backend', step: 'object seen' },
  ])('fails without the $half, and names the step that nobody did: $step', async ({ half, step }) => {
    await using place = await aPlace();
    await using running = demo(place, '--without', half, '--step-timeout', '4s');
    const postgresql = await postgresqlOf(place);
    const { code, errors } = await running.whenEnded;
    expect(code).toBe(1);
    expect(errors).toMatch(new RegExp(`^managed-gitops: the step "${step}" was not seen within 4 s.*\n$`));
    await expectNothingLeft(place, postgresql);
  });

  it("deploys the user's own repository, a folder of it, and commits nothing to it", async () => {
    await using place = await aPlace();
    const repository = await createGitRepository();
    try {
      const commit = await repository.commit(page);
      await using running = demo(place, '--repo', repository.folder, '--path', 'k');
      const { code, out, errors } = await running.whenEnded;
      expect({ code, errors }).toEqual({ code: 0, errors: '' });
      expect(sightsOf(out)).toEqual([
        ...deploying,
        ...deleting,
        ...syncing,
        ...deployingThere,
        ...leavingThere,
        ...readingPrivately,
        ...denying,
      ]);
      expect(out).toContain(`Ready: synced to ${commit.slice(0, 12)} and healthy`);
      expect(await repository.git('rev-parse', 'HEAD')).toBe(commit);
    } finally {
      await repository.remove();
    }
  });

  it('passes on what the deployment says of a path that is not there', async () => {
    await using place = await aPlace();
    const repository = await createGitRepository();
    try {
      await repository.commit(page);
      await using running = demo(place, '--repo', repository.folder, '--path', 'elsewhere', '--step-timeout', '4s');
      const { code, errors } = await running.whenEnded;
      expect(code).toBe(1);
      expect(errors).toMatch(
        /^managed-gitops: the step "Synced" was not seen .*elsewhere: app path does not exist.*\n$/,
      );
    } finally {
      await repository.remove();
    }
  });

  it('asks for both of --repo and --path, in one line', async () => {
    await using place = await aPlace();
    await using running = demo(place, '--repo', place.folder);
    expect(await running.whenEnded).toMatchObject({
      code: 1,
      out: '',
      errors: 'managed-gitops: --repo and --path go together: name both, or neither\n',
    });
  });

  it('says in one line that it needs git', async () => {
    await using place = await aPlace();
    const programs = join(place.folder, 'programs');
    await mkdir(programs);
    for (const name of ['sh', 'dirname', 'readlink']) await symlink(whereIs(name), join(programs, name));
    await using running = managedGitops(['demo'], { ...place, environment: { ...place.environment, PATH: programs } });
    expect(await running.whenEnded).toMatchObject({
      code: 1,
      errors: 'managed-gitops: the demo needs git, which is not installed or not in the PATH\n',
    });
  });

  it('is refused where one runs already, which goes on', async () => {
    await using place = await aPlace();
    await using first = demo(place, '--stay');
    await first.says('Managed GitOps on this machine');
    await using second = demo(place);
    expect(await second.whenEnded).toMatchObject({
      code: 1,
      errors: `managed-gitops: a demo runs in this folder already (process ${first.pid}); stop it first\n`,
    });
    expect(await listens(apiPortIn(first.out()))).toBe(true);
    first.kill('SIGTERM');
    expect(await first.whenEnded).toMatchObject({ code: 0, errors: '' });
  });

  it('ends quietly when nobody reads it any more', async () => {
    await using place = await aPlace();
    await using running = demo(place);
    const postgresql = await postgresqlOf(place);
    await running.says('Managed GitOps on this machine');
    running.closeOutput();
    expect(await running.whenEnded).toMatchObject({ code: 0, errors: '' });
    await expectNothingLeft(place, postgresql);
  });
});

describe.concurrent('a demo that is told to end', { timeout: 90_000 }, () => {
  it.each([
    { signal: 'SIGINT', when: 'in the middle of the steps', said: 'object seen' },
    { signal: 'SIGTERM', when: 'while it stays up', said: 'Ctrl-C ends the demo' },
  ] as const)('does so by $signal $when, and leaves nothing', async ({ signal, said }) => {
    await using place = await aPlace();
    await using running = demo(place, '--stay');
    const postgresql = await postgresqlOf(place);
    await running.says(said);
    running.kill(signal);
    expect(await running.whenEnded).toMatchObject({ code: 0, signal: null, errors: '' });
    expect(running.out()).toMatch(/Stopping …\n$/);
    await expectNothingLeft(place, postgresql);
  });

  it('does so while it still starts', async () => {
    await using place = await aPlace();
    await using running = demo(place);
    const postgresql = await postgresqlOf(place);
    running.kill('SIGTERM');
    expect(await running.whenEnded).toMatchObject({ code: 0, signal: null, errors: '' });
    expect(sightsOf(running.out())).toEqual([]);
    await expectNothingLeft(place, postgresql);
  });

  it('takes its PostgreSQL with it even when it is killed, and the next one starts in its place', async () => {
    await using place = await aPlace();
    await using running = demo(place, '--stay');
    const postgresql = await postgresqlOf(place);
    await running.says('object seen');
    running.kill('SIGKILL');
    expect(await running.whenEnded).toMatchObject({ signal: 'SIGKILL' });
    await eventually('PostgreSQL has ended', () => !isRunning(postgresql.pid));
    await eventually('temporary files are gone', async () => (await readdir(place.temporary)).length === 0);
    await using next = demo(place);
    await next.says('object seen');
    next.kill('SIGTERM');
    expect(await next.whenEnded).toMatchObject({ code: 0, errors: '' });
  });

  it('stays up in a terminal until Ctrl-C', async (context) => {
    context.skip(!isInstalled('script', '--version'), 'script, which makes terminals, is not installed');
    await using place = await aPlace({});
    await using running = managedGitopsInTerminal(['demo'], place);
    const postgresql = await postgresqlOf(place);
    await running.says('Ctrl-C ends the demo');
    running.type('\u0003');
    expect(await running.whenEnded).toMatchObject({ code: 0 });
    expect(running.out()).toContain('Stopping …');
    await expectNothingLeft(place, postgresql);
  });
});
