import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { kubectlMissing, startDemoCluster, type DemoCluster } from './kubectl.ts';

let cluster: DemoCluster;

beforeAll(async () => {
  if (kubectlMissing === undefined) cluster = await startDemoCluster();
}, 90_000);
afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});
beforeEach((context) => context.skip(kubectlMissing !== undefined, `${kubectlMissing}`));

/** What kubectl prints; it must succeed. */
const kubectl = async (...args: string[]): Promise<string> => {
  const { code, out, errors } = await cluster.kubectl(...args);
  expect({ args, code, errors }).toEqual({ args, code: 0, errors: '' });
  return out;
};

const get = async (name: string, path: string): Promise<string> =>
  kubectl('get', 'gitopsdeployment', name, '-o', `jsonpath={${path}}`);

interface Spec {
  readonly source: { readonly repoURL: string; readonly path: string; readonly targetRevision?: string };
  readonly type: string;
  readonly syncPolicy?: { readonly syncOptions: readonly string[] };
  readonly destination?: { readonly namespace: string };
}

const sample = (): Spec => ({ source: { repoURL: join(cluster.files, 'repository'), path: 'web' }, type: 'automated' });

/** Writes a manifest and gives its file. */
const manifest = async (name: string, spec: Spec): Promise<string> => {
  const file = join(cluster.folder, `${name}.json`);
  const kind = { apiVersion: 'managed-gitops.redhat.com/v1alpha1', kind: 'GitOpsDeployment' };
  await writeFile(file, JSON.stringify({ ...kind, metadata: { name, namespace: 'demo' }, spec }));
  return file;
};

const ready = (name: string): Promise<string> =>
  kubectl('wait', '--for=condition=Ready', '--timeout=20s', `gitopsdeployment/${name}`);

describe('kubectl', { timeout: 60_000 }, () => {
  it('applies a deployment, and finds it unchanged when applied again', async () => {
    const apply = () => kubectl('apply', '-f', join(cluster.files, 'deployment.yaml'));
    expect(await apply()).toBe('gitopsdeployment.managed-gitops.redhat.com/web created\n');
    expect(await apply()).toBe('gitopsdeployment.managed-gitops.redhat.com/web unchanged\n');
  });

  it('waits for it to be ready, and then sees what it deployed', async () => {
    expect(await ready('web')).toBe('gitopsdeployment.managed-gitops.redhat.com/web condition met\n');
    expect(await kubectl('get', 'deployment,service,configmap', '-o', 'name')).toBe(
      'deployment.apps/web\nservice/web\nconfigmap/web-page\n',
    );
  });

  it('shows at a glance how it stands, and in which revision when asked for more', async () => {
    expect(await kubectl('get', 'gitopsdeployments')).toMatch(
      /^NAME +SYNC STATUS +HEALTH STATUS +READY +AGE\nweb +Synced +Healthy +True +\d+s\n$/,
    );
    expect(await kubectl('get', 'gitopsdeployments', '-o', 'wide')).toMatch(
      /READY +REVISION +MESSAGE +AGE\n.*True +[0-9a-f]{40} +synced to [0-9a-f]{12} and healthy +\d+s\n$/,
    );
  });

  it('explains each field', async () => {
    expect(await kubectl('explain', 'gitopsdeployment.spec.source.repoURL')).toMatch(
      /FIELD: repoURL <string>\s+DESCRIPTION:\s+URL of the Git repository/,
    );
    expect(await kubectl('explain', 'gitopsdeployment', '--recursive')).toMatch(
      /\n {2}spec\t<Object>\n[^]*\n {4}source\t<Object> -required-\n[^]*\n {6}repoURL\t<string> -required-\n/,
    );
  });

  it('describes it with its conditions and what happened to it', async () => {
    const described = await kubectl('describe', 'gitopsdeployment', 'web');
    expect(described).toMatch(
      /Message: +synced to [0-9a-f]{12} and healthy\n +Observed Generation: +1\n +Reason: +Ready/,
    );
    expect(described).toMatch(
      /Events:\n.*\n.*\n +Normal +Ready +\d+s +managed-gitops +synced to [0-9a-f]{12} and healthy/,
    );
  });

  it('follows a change from a patch to its end, as it goes', async () => {
    await using following = cluster.startKubectl('get', 'gitopsdeployments', 'web', '-w');
    await following.says(/^web +Synced +Healthy +True/m);
    await kubectl(
      'patch',
      'gitopsdeployment',
      'web',
      '--type=merge',
      '-p',
      '{"spec":{"source":{"targetRevision":"no-such-branch"}}}',
    );
    await following.says(/^web .*False/m);
    following.kill('SIGTERM');
    await following.whenEnded;
  });

  it('tells of a revision that is not there what Argo CD says, and takes nothing away', async () => {
    await kubectl('wait', '--for=condition=Stalled', '--timeout=20s', 'gitopsdeployment/web');
    expect(await get('web', '.status.conditions[?(@.type=="Stalled")].reason')).toBe('ComparisonError');
    const described = await kubectl('describe', 'gitopsdeployment', 'web');
    expect(described).toMatch(/Message: .*unable to resolve 'no-such-branch' to a commit SHA/);
    expect(described).toMatch(/Warning +ComparisonError +.*no-such-branch/);
    expect(await kubectl('get', 'configmap', '-o', 'name')).toBe('configmap/web-page\n');
    await kubectl(
      'patch',
      'gitopsdeployment',
      'web',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/source/targetRevision"}]',
    );
    await ready('web');
  });

  it('sees a commit arrive', async () => {
    const file = join(cluster.files, 'repository/web/page.yaml');
    await writeFile(file, 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web-page}\ndata: {index.html: Changed}\n');
    const git = (...args: string[]) =>
      promisify(execFile)('git', ['-c', 'user.name=u', '-c', 'user.email=u@example.com', ...args], {
        cwd: join(cluster.files, 'repository'),
      });
    await git('commit', '--quiet', '--all', '--message', 'Change');
    const revision = (await git('rev-parse', 'HEAD')).stdout.trim();
    await kubectl(
      'wait',
      `--for=jsonpath={.status.sync.revision}=${revision}`,
      '--timeout=20s',
      'gitopsdeployment/web',
    );
    expect(await kubectl('get', 'configmap', 'web-page', '-o', 'jsonpath={.data.index\\.html}')).toBe('Changed');
  });

  it('edits it', async () => {
    expect(await kubectl('edit', 'gitopsdeployment', 'web')).toBe(
      'gitopsdeployment.managed-gitops.redhat.com/web edited\n',
    );
    expect(await get('web', '.spec.type')).toBe('manual');
    await ready('web');
  });

  it('deletes it, and returns when what it deployed is gone', async () => {
    expect(await kubectl('delete', 'gitopsdeployment', 'web', '--wait')).toMatch(/"web" deleted/);
    expect(await kubectl('get', 'deployment,service,configmap', '-o', 'name')).toBe('');
  });
});

describe('a deployment that cannot be', { timeout: 60_000 }, () => {
  const cases: readonly {
    what: string;
    spec: (sample: Spec) => Spec;
    reason: string;
    message: string;
    /** By admission; the other cases are those that the original lets through. */
    isDenied?: true;
  }[] = [
    {
      what: 'an empty path',
      spec: ({ source, ...rest }) => ({ ...rest, source: { ...source, path: '' } }),
      reason: 'PathRequired',
      message: 'spec.source.path is a required field and it cannot be empty',
    },
    {
      what: 'the path /',
      spec: ({ source, ...rest }) => ({ ...rest, source: { ...source, path: '/' } }),
      reason: 'PathIsRoot',
      message: "spec.source.path cannot be '/'",
    },
    {
      what: 'a wrong type',
      spec: (spec) => ({ ...spec, type: 'sometimes' }),
      reason: 'InvalidType',
      message: 'spec type must be manual or automated',
      isDenied: true,
    },
    {
      what: 'an unknown sync option',
      spec: (spec) => ({ ...spec, syncPolicy: { syncOptions: ['Prune=never'] } }),
      reason: 'UnknownSyncOption',
      message: 'the specified sync option in .spec.syncPolicy.syncOptions',
      isDenied: true,
    },
    {
      what: 'a namespace without environment',
      spec: (spec) => ({ ...spec, destination: { namespace: 'elsewhere' } }),
      reason: 'NamespaceWithoutEnvironment',
      message: 'the environment field should not be empty when the namespace is non-empty',
      isDenied: true,
    },
    {
      what: 'a URL that is none',
      spec: ({ source, ...rest }) => ({ ...rest, source: { ...source, repoURL: 'https://exa mple.com/%zz' } }),
      reason: 'InvalidRepositoryUrl',
      message: 'spec.source.repoURL is not a valid URL',
    },
  ];

  it.each(cases.filter(({ isDenied }) => isDenied))('because of $what is denied', async ({ spec, reason, message }) => {
    const file = await manifest(`denied-${reason.toLowerCase()}`, spec(sample()));
    const { code, errors } = await cluster.kubectl('apply', '-f', file);
    expect(code).toBe(1);
    expect(errors).toContain(`admission webhook "vgitopsdeployment.kb.io" denied the request: ${message}`);
  });

  describe('and is in the cluster, as where nobody asks admission,', () => {
    beforeAll(async () => {
      if (kubectlMissing === undefined) await cluster.kubectl('delete', 'validatingwebhookconfigurations', '--all');
    });

    it.each(cases)('because of $what says so in one condition and one event, and is left as it is', async (one) => {
      const name = one.reason.toLowerCase();
      const spec = one.spec(sample());
      await kubectl('apply', '-f', await manifest(name, spec));
      await kubectl('wait', '--for=condition=Stalled', '--timeout=20s', `gitopsdeployment/${name}`);
      const read = await kubectl('get', 'gitopsdeployment', name, '-o', 'json');
      expect(JSON.parse(read)).toMatchObject({
        spec,
        status: {
          conditions: expect.arrayContaining([
            expect.objectContaining({ type: 'Ready', status: 'False', reason: one.reason }),
            expect.objectContaining({
              type: 'ErrorOccurred',
              status: 'True',
              message: expect.stringContaining(one.message),
            }),
          ]),
        },
      });
      await eventually('the event is there', async () => {
        const events = (await kubectl('describe', 'gitopsdeployment', name)).split('Events:')[1] ?? '';
        return events.includes(one.reason) && events.includes(one.message) && events.trim().split('\n').length === 3;
      });
    });

    it('holds up no other, and is deployed once it is corrected', async () => {
      await kubectl('apply', '-f', await manifest('good', sample()));
      await ready('good');
      await kubectl('delete', 'gitopsdeployment', 'good');
      await kubectl('wait', '--for=delete', '--timeout=20s', 'configmap/web-page');
      await kubectl('apply', '-f', await manifest('pathisroot', sample()));
      await ready('pathisroot');
      expect(await get('pathisroot', '.status.conditions[?(@.type=="ErrorOccurred")].status')).toBe('False');
    });

    it('is deleted as every other', async () => {
      await kubectl('delete', 'gitopsdeployments', '--all', '--wait');
      expect((await cluster.kubectl('get', 'gitopsdeployments')).errors).toBe(
        'No resources found in demo namespace.\n',
      );
    });
  });
});
