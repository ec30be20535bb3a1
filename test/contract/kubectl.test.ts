import { afterAll, beforeAll, describe, expect } from 'vitest';
import { eventually } from '../kit/eventually.ts';
import { createKubectl, kubectlIsThere, type Kubectl } from './kubectl.ts';
import { at, configMap, controllers, gadget, group, it, textAt, uniqueName, useSuite } from './suite.ts';

const { kubeconfig, namespace, gadgets, configMaps, secrets, events, ask, createNamespace, expectCode } = useSuite();

const plural = `gadgets.${group}`;
const singular = `gadget.${group}`;

let kubectl: Kubectl;

beforeAll(async () => {
  kubectl = await createKubectl({ kubeconfig, namespace, editor: String.raw`sed -i s/size:.3/size:\ 4/` });
});
afterAll(() => kubectl.remove());

const spec = async (name: string): Promise<unknown> => (await expectCode(200, 'GET', at(gadgets, name)))['spec'];
const created = (name: string, rest?: object, metadata?: object) =>
  expectCode(201, 'POST', gadgets, { body: gadget(name, rest, metadata) });

// Skipped where kubectl is not on the path: it is no package, and nothing else depends on it.
describe.skipIf(!kubectlIsThere)('kubectl (where it is installed)', { timeout: 60_000 }, () => {
  it('sees the version, the groups and the kinds', async () => {
    expect(await kubectl.line('version')).toMatch(/Server Version: v1\./);
    expect(await kubectl.line('api-versions')).toContain(`${group}/v1`);
    expect(await kubectl.line(`api-resources --api-group=${group}`)).toMatch(/gadgets +gd +\S+\/v1 +true +Gadget/);
    expect(await kubectl.line('api-resources --api-group=apps')).toMatch(
      /deployments +deploy +apps\/v1 +true +Deployment/,
    );
  });

  it('auth can-i: is told what it may do', async () => {
    expect(await kubectl.line('auth can-i create pods')).toBe('yes');
    expect(await kubectl.line(`auth can-i delete ${plural}`)).toBe('yes');
  });

  it('apply: creates, leaves alone what is the same, and changes what differs', async () => {
    const file = await kubectl.file('apply.json', gadget('applied', { size: 3, tags: ['a'], shiny: true }));
    expect(await kubectl.line(`apply -f ${file}`)).toBe(`${singular}/applied created`);
    expect(await kubectl.line(`apply -f ${file}`)).toBe(`${singular}/applied unchanged`);
    const changed = await kubectl.file('apply-changed.json', gadget('applied', { size: 5, tags: ['b'] }));
    expect(await kubectl.line(`apply -f ${changed}`)).toBe(`${singular}/applied configured`);
    expect(await spec('applied')).toEqual({ size: 5, tags: ['b'], colour: 'grey' });
  });

  it('apply --dry-run=server: says what would happen, and changes nothing', async () => {
    const file = await kubectl.file('dry.json', gadget('dry-applied', { size: 3 }));
    expect(await kubectl.line(`apply --dry-run=server -f ${file}`)).toBe(
      `${singular}/dry-applied created (server dry run)`,
    );
    expect((await ask('GET', at(gadgets, 'dry-applied'))).code).toBe(404);
    await kubectl.line(`apply -f ${file}`);
    const changed = await kubectl.file('dry-changed.json', gadget('dry-applied', { size: 4 }));
    expect(await kubectl.line(`apply --dry-run=server -f ${changed}`)).toBe(
      `${singular}/dry-applied configured (server dry run)`,
    );
    expect(await spec('dry-applied')).toMatchObject({ size: 3 });
  });

  it('apply: is told what is wrong with an object, and is refused fields that nobody knows', async () => {
    const bad = await kubectl.file('bad.json', gadget('bad', { size: 'big' }));
    expect(await kubectl.run('apply', '-f', bad)).toMatchObject({
      code: 1,
      text: expect.stringContaining('spec.size in body must be of type integer: "string"'),
    });
    const odd = await kubectl.file('odd.json', gadget('odd', { size: 1, foo: 1 }));
    expect(await kubectl.run('apply', '-f', odd)).toMatchObject({
      code: 1,
      text: expect.stringContaining('strict decoding error: unknown field "spec.foo"'),
    });
    expect(await kubectl.line(`apply --validate=warn -f ${odd}`)).toContain('Warning: unknown field "spec.foo"');
  });

  it('apply --server-side: owns the fields that it applies', async () => {
    const file = await kubectl.file('server-side.json', gadget('server-side', { size: 3 }));
    expect(await kubectl.line(`apply --server-side -f ${file}`)).toBe(`${singular}/server-side serverside-applied`);
    expect(await kubectl.line(`get ${plural} server-side -o yaml --show-managed-fields`)).toContain('f:size');
  });

  it('diff: shows what apply would change, and ends with 1', async () => {
    await created('diffed', { size: 3 });
    const file = await kubectl.file('diff.json', gadget('diffed', { size: 4 }));
    const { code, text } = await kubectl.run('diff', '-f', file);
    expect(code).toBe(1);
    expect(text).toMatch(/^- +size: 3$/m);
    expect(text).toMatch(/^\+ +size: 4$/m);
    expect(await spec('diffed')).toMatchObject({ size: 3 });
  });

  it('create: from a file, from a list, and from flags', async () => {
    const one = await kubectl.file('create.json', gadget('created', { size: 3 }));
    expect(await kubectl.line(`create -f ${one}`)).toBe(`${singular}/created created`);
    expect(await kubectl.run('create', '-f', one)).toMatchObject({
      code: 1,
      text: expect.stringContaining('AlreadyExists'),
    });
    const items = [configMap('from-list', { a: 'b' }), gadget('from-list')];
    const list = await kubectl.file('list.json', { apiVersion: 'v1', kind: 'List', items });
    expect(await kubectl.line(`create -f ${list}`)).toBe(`configmap/from-list created\n${singular}/from-list created`);
    expect(await kubectl.line('create configmap flags --from-literal=a=b')).toBe('configmap/flags created');
    expect(await expectCode(200, 'GET', at(configMaps, 'flags'))).toMatchObject({ data: { a: 'b' } });
    expect(await kubectl.line('create secret generic flags --from-literal=a=b')).toBe('secret/flags created');
    expect(await expectCode(200, 'GET', at(secrets, 'flags'))).toMatchObject({ type: 'Opaque', data: { a: 'Yg==' } });
    expect(await kubectl.line('create deployment flags --image=web:1 --replicas=0')).toBe(
      'deployment.apps/flags created',
    );
    expect(await kubectl.line('set image deployment/flags web=web:2')).toBe('deployment.apps/flags image updated');
    expect(await kubectl.line('get deployment flags -o jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'web:2',
    );
  });

  it('create --dry-run=server: answers with the object, and keeps nothing', async () => {
    expect(await kubectl.line('create configmap tried --from-literal=a=b --dry-run=server')).toBe(
      'configmap/tried created (server dry run)',
    );
    const shown = JSON.parse(
      await kubectl.line('create configmap tried --from-literal=a=b --dry-run=server -o json'),
    ) as object; // kubectl prints an object
    expect(textAt(shown, 'metadata', 'uid')).toBeTruthy();
    expect((await ask('GET', at(configMaps, 'tried'))).code).toBe(404);
  });

  it('get: as a table, wide, as YAML and JSON, by path, and with labels', async () => {
    await created('shown', { size: 7 }, { labels: { look: 'here' } });
    expect(await kubectl.line(`get ${plural} shown`)).toMatch(/^NAME +SIZE +READY +AGE\nshown +7 +\d+s$/);
    expect(await kubectl.line(`get ${plural} shown -o wide`)).toMatch(
      /^NAME +SIZE +READY +COLOUR +AGE\nshown +7 +grey +\d+s$/,
    );
    expect(await kubectl.line(`get ${plural} shown -o yaml`)).toMatch(/^spec:\n {2}colour: grey\n {2}size: 7$/m);
    expect(JSON.parse(await kubectl.line(`get ${plural} shown -o json`))).toMatchObject({
      kind: 'Gadget',
      spec: { size: 7 },
    });
    expect(await kubectl.line(`get ${plural} shown -o jsonpath={.spec.size}`)).toBe('7');
    expect(await kubectl.line(`get ${plural} -l look=here -o name`)).toBe(`${singular}/shown`);
    expect(await kubectl.line(`get ${plural} shown --show-labels`)).toMatch(/LABELS\n.*look=here$/);
    expect(
      await kubectl.line(
        `get ${plural} -A --field-selector metadata.name=shown,metadata.namespace=${namespace} -o name`,
      ),
    ).toBe(`${singular}/shown`);
    expect(await kubectl.line(`get ${plural} --chunk-size=1 -o name`)).toContain(`${singular}/shown`);
    expect((await kubectl.run('get', plural, 'none')).text).toBe(
      `Error from server (NotFound): gadgets.${group} "none" not found`,
    );
  });

  it('get --watch: follows changes line by line', async () => {
    await created('followed', { size: 1 });
    await using following = kubectl.follow('get', plural, 'followed', '--watch');
    await eventually('the first line comes', () => following.lines.some((line) => /^followed +1 /.test(line)));
    await kubectl.line(`patch ${plural} followed --type=merge -p {"spec":{"size":77}}`);
    await eventually('the change comes', () => following.lines.some((line) => /^followed +77 /.test(line)));
    expect(following.lines[0]).toMatch(/^NAME +SIZE/);
  });

  it('patch: by merge, by JSON and by strategy, and the status', async () => {
    await created('patched', { size: 1 });
    expect(await kubectl.line(`patch ${plural} patched --type=merge -p {"spec":{"colour":"red"}}`)).toBe(
      `${singular}/patched patched`,
    );
    expect(await kubectl.line(`patch ${plural} patched --type=merge -p {"spec":{"colour":"red"}}`)).toBe(
      `${singular}/patched patched (no change)`,
    );
    await kubectl.line(`patch ${plural} patched --type=json -p [{"op":"replace","path":"/spec/size","value":9}]`);
    expect(await spec('patched')).toEqual({ size: 9, colour: 'red' });
    await kubectl.line(`patch ${plural} patched --subresource=status --type=merge -p {"status":{"phase":"Up"}}`);
    expect(await kubectl.line(`get ${plural} patched -o jsonpath={.status.phase}`)).toBe('Up');
    await expectCode(201, 'POST', configMaps, { body: configMap('patched', { a: '1' }) });
    expect(await kubectl.line('patch configmap patched -p {"data":{"b":"2"}}')).toBe('configmap/patched patched');
    expect(await expectCode(200, 'GET', at(configMaps, 'patched'))).toMatchObject({ data: { a: '1', b: '2' } });
  });

  it('label and annotate: add, refuse to overwrite, overwrite and remove', async () => {
    await created('marked');
    expect(await kubectl.line(`label ${plural} marked on=yes`)).toBe(`${singular}/marked labeled`);
    expect((await kubectl.run('label', plural, 'marked', 'on=no')).code).toBe(1);
    expect(await kubectl.line(`label ${plural} marked on=no --overwrite`)).toBe(`${singular}/marked labeled`);
    expect(await kubectl.line(`label ${plural} marked on-`)).toBe(`${singular}/marked unlabeled`);
    expect(await kubectl.line(`annotate ${plural} marked note=x`)).toBe(`${singular}/marked annotated`);
    expect(await expectCode(200, 'GET', at(gadgets, 'marked'))).toMatchObject({
      metadata: { annotations: { note: 'x' } },
    });
  });

  it('edit: sends what the editor changed', async () => {
    await created('edited', { size: 3 });
    expect(await kubectl.line(`edit ${plural} edited`)).toBe(`${singular}/edited edited`);
    expect(await spec('edited')).toMatchObject({ size: 4 });
  });

  it('replace: puts one object in the place of another, also by force', async () => {
    await created('replaced', { size: 3, shiny: true });
    const file = await kubectl.file('replace.json', gadget('replaced', { size: 5 }));
    expect(await kubectl.line(`replace -f ${file}`)).toBe(`${singular}/replaced replaced`);
    expect(await spec('replaced')).toEqual({ size: 5, colour: 'grey' });
    expect(await kubectl.line(`replace --force -f ${file}`)).toMatch(/deleted.*\n.*replaced replaced$/);
  });

  it('describe: shows the fields of an object, and its events', async () => {
    const object = await created('described');
    const uid = textAt(object, 'metadata', 'uid');
    const involvedObject = { apiVersion: `${group}/v1`, kind: 'Gadget', namespace, name: 'described', uid };
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'described.1' },
      involvedObject,
      reason: 'Painted',
      message: 'it is red now',
      type: 'Normal',
    };
    await expectCode(201, 'POST', events, { body });
    const shown = await kubectl.line(`describe ${plural} described`);
    expect(shown).toMatch(/^Name: +described$/m);
    expect(shown).toMatch(/Normal +Painted .*it is red now/);
    expect(await kubectl.line('get events')).toMatch(/Normal +Painted +gadget\/described +it is red now/);
    expect(await kubectl.line(`events --for ${singular}/described`)).toMatch(
      /Normal +Painted +Gadget\/described +it is red now/,
    );
  });

  it('wait: for a condition, for a value, and for the end', async () => {
    await created('awaited');
    const condition = kubectl.line(`wait ${plural}/awaited --for=condition=Ready --timeout=20s`);
    await kubectl.line(
      `patch ${plural} awaited --subresource=status --type=merge -p {"status":{"conditions":[{"type":"Ready","status":"True"}]}}`,
    );
    expect(await condition).toBe(`${singular}/awaited condition met`);
    expect(await kubectl.line(`wait ${plural}/awaited --for=jsonpath={.spec.colour}=grey --timeout=20s`)).toBe(
      `${singular}/awaited condition met`,
    );
    const end = kubectl.line(`wait ${plural}/awaited --for=delete --timeout=20s`);
    await expectCode(200, 'DELETE', at(gadgets, 'awaited'));
    expect(await end).toMatch(/condition met|^$/);
  });

  it('delete: waits until it is gone', async () => {
    await created('deleted');
    expect(await kubectl.line(`delete ${plural} deleted --wait`)).toMatch(new RegExp(`^${singular} "deleted" deleted`));
    expect((await ask('GET', at(gadgets, 'deleted'))).code).toBe(404);
    await created('held', undefined, { finalizers: ['contract.example/held'] });
    const waiting = kubectl.line(`delete ${plural} held`);
    await eventually('it is asked to go', async () =>
      JSON.stringify((await ask('GET', at(gadgets, 'held'))).body).includes('deletionTimestamp'),
    );
    await kubectl.line(`patch ${plural} held --type=merge -p {"metadata":{"finalizers":null}}`);
    expect(await waiting).toMatch(/deleted/);
  });

  it('delete -l: deletes what is selected', async () => {
    await created('selected', undefined, { labels: { go: 'away' } });
    await created('left');
    expect(await kubectl.line(`delete ${plural} -l go=away`)).toMatch(/"selected" deleted/);
    await expectCode(200, 'GET', at(gadgets, 'left'));
  });

  it('explain: tells of a kind and its fields', async () => {
    await eventually('the kind is described', async () => (await kubectl.run('explain', plural)).code === 0);
    expect(await kubectl.line(`explain ${plural}.spec.size`)).toContain('How big it is.');
    expect(await kubectl.line('explain configmap.metadata.labels')).toMatch(/labels/);
  });

  it('explain: tells of the fields of built-in kinds', async () => {
    expect(await kubectl.line('explain deployment.spec.replicas')).toMatch(/FIELD: replicas <integer>/);
  });
});

// Skipped without kubectl, and on a server that has no kube-controller-manager: it is the one that empties namespaces.
describe.skipIf(!kubectlIsThere || !controllers)('kubectl and whole namespaces', { timeout: 90_000 }, () => {
  it('create and delete: a namespace goes with what is in it', async () => {
    const name = uniqueName();
    await createNamespace(name);
    await kubectl.line(`create configmap inside -n ${name}`);
    expect(await kubectl.line(`get namespace ${name} -o jsonpath={.status.phase}`)).toBe('Active');
    expect(await kubectl.line(`delete namespace ${name}`)).toMatch(/deleted/);
    expect((await kubectl.run('get', 'configmap', 'inside', '-n', name)).text).toContain('not found');
  });
});
