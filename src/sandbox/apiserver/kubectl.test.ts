import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/kit/captured-log.ts';
import { systemClock } from '../../lib/clock.ts';
import { systemRandom } from '../../lib/random.ts';
import { startApiServer, type ApiServer } from './server.ts';
import { widgetDefinition } from './widget-fixture.ts';

const program = 'kubectl';
const isHere = spawnSync(program, ['version', '--client']).status === 0;

let server: ApiServer;
let folder: string;
let flags: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubectl-test-'));
  server = await startApiServer({ clock: systemClock, random: systemRandom, log: silentLog, namespaces: ['team'] });
  await writeFile(join(folder, 'config'), server.kubeconfig);
  flags = [`--kubeconfig=${join(folder, 'config')}`, `--cache-dir=${join(folder, 'cache')}`];
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

/** Runs kubectl; what it prints, and its exit code. */
const run = (...words: string[]): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    const environment = {
      PATH: process.env['PATH'],
      HOME: folder,
      KUBE_EDITOR: String.raw`sed -i s/size:.3/size:\ 4/`,
    };
    execFile(program, [...flags, ...words], { env: environment }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), text: `${stdout}${stderr}`.trim() });
    });
  });

const kubectl = async (line: string): Promise<string> => (await run(...line.split(' '))).text;

const file = async (name: string, content: unknown): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, JSON.stringify(content));
  return path;
};

const widget = (spec: object): object => ({
  apiVersion: 'example.test/v1',
  kind: 'Widget',
  metadata: { name: 'one', namespace: 'team' },
  spec,
});

// Skipped where kubectl is not on the path: it is no package, and nothing else depends on it.
describe.skipIf(!isHere)('kubectl against the API server (needs kubectl)', { timeout: 60_000 }, () => {
  it('sees a version, kinds and what it may do', async () => {
    expect(await kubectl('version')).toContain('managed-gitops-sandbox');
    expect(await kubectl('api-versions')).toContain('coordination.k8s.io/v1');
    expect(await kubectl('api-resources --api-group=apps')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await kubectl('auth can-i create pods')).toBe('yes');
    expect(await kubectl('cluster-info')).toContain(server.url);
  });

  it('applies a definition, and its objects twice with the same result', async () => {
    const definition = await file('definition.json', widgetDefinition);
    expect(await kubectl(`apply -f ${definition}`)).toMatch(/widgets.example.test created$/);
    expect(await kubectl(`apply -f ${definition}`)).toMatch(/unchanged$/);
    expect(await kubectl('wait --for=condition=Established crd/widgets.example.test')).toMatch(/condition met$/);
    const object = await file('widget.json', widget({ size: 3, tags: ['a'] }));
    expect(await kubectl(`apply -f ${object}`)).toBe('widget.example.test/one created');
    expect(await kubectl(`apply -f ${object}`)).toBe('widget.example.test/one unchanged');
    expect(await kubectl('get wd -n team')).toMatch(/^NAME +SIZE +READY +AGE\none +3 +\d+s$/);
  });

  it('is told what is wrong with an object, and what a change would do', async () => {
    const bad = await file('bad.json', widget({ size: 'big' }));
    expect(await run('apply', '-f', bad)).toMatchObject({
      code: 1,
      text: expect.stringContaining('spec.size in body must be of type integer: "string"'),
    });
    const odd = await file('odd.json', widget({ size: 3, foo: 1 }));
    expect(await kubectl(`apply -f ${odd}`)).toContain('unknown field "spec.foo"');
    const changed = await file('changed.json', widget({ size: 5 }));
    expect(await kubectl(`apply -f ${changed} --dry-run=server`)).toBe(
      'widget.example.test/one configured (server dry run)',
    );
    expect(await kubectl('get wd one -n team -o jsonpath={.spec.size}')).toBe('3');
    expect(await kubectl(`apply --server-side -f ${changed}`)).toContain('use kubectl apply without --server-side');
  });

  it('explains, labels, patches and edits', async () => {
    expect(await kubectl('explain widget.spec.size')).toContain('How big it is.');
    expect(await kubectl('label wd one -n team on=yes')).toBe('widget.example.test/one labeled');
    expect(await kubectl('annotate wd one -n team note=x')).toBe('widget.example.test/one annotated');
    expect(await kubectl('get wd -n team -l on=yes -o name')).toBe('widget.example.test/one');
    expect(await kubectl('patch wd one -n team --type=merge -p {"spec":{"colour":"red"}}')).toMatch(/patched$/);
    expect(await kubectl('edit wd one -n team')).toBe('widget.example.test/one edited');
  });

  it('waits for a condition and for a value', async () => {
    const status = '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}';
    const waiting = kubectl('wait wd/one -n team --for=condition=Ready --timeout=20s');
    await kubectl(`patch wd one -n team --subresource=status --type=merge -p ${status}`);
    expect(await waiting).toBe('widget.example.test/one condition met');
    expect(await kubectl('wait wd/one -n team --for=jsonpath={.spec.colour}=red --timeout=20s')).toMatch(/met$/);
  });

  it('follows changes', async () => {
    const following = spawn(program, [...flags, 'get', 'wd', '-n', 'team', '-w'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines: string[] = [];
    for await (const chunk of following.stdout) {
      lines.push(...String(chunk).split('\n'));
      if (lines.some((line) => line.includes('77'))) break;
      if (lines.some((line) => line.startsWith('one'))) {
        await kubectl('patch wd one -n team --type=merge -p {"spec":{"size":77}}');
      }
    }
    following.kill();
    expect(lines.at(0)).toMatch(/^NAME/);
  });

  it('describes an object with its events', async () => {
    const uid = await kubectl('get wd one -n team -o jsonpath={.metadata.uid}');
    const event = await file('event.json', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'one.1', namespace: 'team' },
      involvedObject: { apiVersion: 'example.test/v1', kind: 'Widget', namespace: 'team', name: 'one', uid },
      reason: 'Painted',
      message: 'it is red now',
      type: 'Normal',
    });
    await kubectl(`create -f ${event}`);
    expect(await kubectl('describe wd one -n team')).toMatch(/Normal +Painted .*it is red now/);
    expect(await kubectl('get events -n team')).toMatch(/Normal +Painted +widget\/one +it is red now/);
  });

  it('creates built-in objects from flags, and applies changes to them', async () => {
    expect(await kubectl('create namespace shop')).toBe('namespace/shop created');
    expect(await kubectl('create secret generic keys -n shop --from-literal=a=b')).toBe('secret/keys created');
    expect(await kubectl('create deployment web -n shop --image=web:1')).toBe('deployment.apps/web created');
    expect(await kubectl('set image deployment/web -n shop web=web:2')).toMatch(/image updated$/);
    expect(await kubectl('get deployment web -n shop')).toMatch(/web +0\/1 +0 +0/);
    expect(await kubectl('get secret keys -n shop')).toMatch(/keys +Opaque +1/);
  });

  it('deletes, and waits until it is gone', async () => {
    expect(await kubectl('delete wd one -n team --wait')).toBe('widget.example.test "one" deleted');
    expect(await kubectl('delete namespace shop')).toBe('namespace "shop" deleted');
    expect(await kubectl('get secret keys -n shop')).toContain('not found');
    expect(await kubectl('delete crd widgets.example.test')).toMatch(/deleted$/);
    expect((await run('get', 'widgets')).code).toBe(1);
  });
});
