// Objects of one tenant whose references point at another tenant's: made for every field and value, and looked over for
// what they have reached.
import { applications } from '../../src/api/argocd/application.ts';
import { appProjects } from '../../src/api/argocd/app-project.ts';
import { ownKinds } from '../../src/api/v1alpha1/kinds.ts';
import { readSpecField } from '../../src/domain/spec-field.ts';
import { secrets, type KubeObject, type ResourceType } from '../../src/kube/object.ts';
import { engineNamespace, type World } from './world.ts';

/** The fields whose text names an object, by kind and path, and how an object with such a text looks otherwise. */
export interface ReferenceField {
  readonly field: string;
  readonly specs: (value: string) => readonly object[];
}

/** One object of the attacker's. */
export interface Attack {
  readonly field: string;
  /** What the value is. */
  readonly what: string;
  readonly object: KubeObject & { readonly spec: object };
}

/** Everything there is at a time: rows by table, objects by kind, namespace and name. */
export interface Sight {
  readonly rows: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly objects: ReadonlyMap<string, KubeObject>;
}

const kindOf = (field: string): string => field.split(' ')[0] ?? '';
const resourceOf = (field: string): ResourceType => {
  const found = ownKinds.find(({ resource }) => resource.kind === kindOf(field));
  if (!found) throw new Error(`no such kind: ${field}`);
  return found.resource;
};

/** Every field with every value. */
export const attacksOn = (
  fields: readonly ReferenceField[],
  values: Readonly<Record<string, string>>,
  namespace: string,
): readonly Attack[] =>
  fields
    .flatMap(({ field, specs }) =>
      Object.entries(values).flatMap(([what, value]) => specs(value).map((spec) => ({ field, what, spec }))),
    )
    .map(({ field, what, spec }, at) => ({
      field,
      what,
      object: {
        apiVersion: 'managed-gitops.redhat.com/v1alpha1',
        kind: kindOf(field),
        metadata: { namespace, name: `attack-${at}` },
        spec,
      },
    }));

/** Makes the objects. What the API server itself refuses reaches nothing. */
export const makeAttacks = async ({ client }: World, attacks: readonly Attack[]): Promise<void> => {
  for (const { field, object } of attacks) await client.create(resourceOf(field), object);
};

/** Waits until each object has been looked at: something has been said of it, where its kind is told anything. */
export const isTold = async ({ client }: World, { field, object }: Attack): Promise<boolean> => {
  if (kindOf(field) === 'Operation') return true;
  const { namespace = '', name } = object.metadata;
  const seen: KubeObject & { readonly status?: { readonly conditions?: readonly unknown[] } } = await client.get(
    resourceOf(field),
    { namespace, name },
  );
  return (seen.status?.conditions ?? []).length > 0;
};

/** Looks at all rows, and at all objects of ours and of Argo CD. */
export const lookAt = async ({ client, database }: World): Promise<Sight> => {
  const rows = new Map<string, Readonly<Record<string, unknown>>>();
  const named = await database.sql<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' and tablename not like '%migrations'`,
  );
  for (const { name } of named) {
    for (const { row } of await database.sql<{ row: Record<string, unknown> }>(
      `select to_jsonb(t) as row from ${name} t`,
    )) {
      rows.set(`${name} ${JSON.stringify(row['seq_id'] ?? row)}`, row);
    }
  }
  const objects = new Map<string, KubeObject>();
  for (const resource of [...ownKinds.map((kind) => kind.resource), applications, appProjects, secrets]) {
    const { items } = await client.list<KubeObject>(resource);
    for (const one of items) objects.set(`${resource.kind} ${one.metadata.namespace}/${one.metadata.name}`, one);
  }
  return { rows, objects };
};

/** What is the victim's alone. */
export interface Possessions {
  /** Ids of rows and UIDs of objects. */
  readonly ids: ReadonlySet<string>;
  /** What is in the victim's Secrets. */
  readonly secrets: readonly string[];
  readonly namespace: string;
}

/** Rows and objects that change by themselves, or are nobody's. */
const passing = /^(operation|operation_event|probe_result|refresh_request) |^Operation /;

/** Texts that the attacker has written, where it is no harm that they look like an id. */
const OWN_TEXTS = new Set(['spec_field', 'deployment_name', 'namespaces', 'name', 'display_name']);

/** What has been reached between two sights, in sentences. */
export const reached = (
  { before, after }: { readonly before: Sight; readonly after: Sight },
  victim: Possessions,
  attacker: string,
): readonly string[] => {
  const found: string[] = [];
  const say = (sentence: string): void => void found.push(sentence);
  for (const [key, row] of before.rows) {
    if (!passing.test(key) && JSON.stringify(after.rows.get(key)) !== JSON.stringify(row))
      say(`the row ${key} changed`);
  }
  for (const [key, { metadata }] of before.objects) {
    const now = after.objects.get(key)?.metadata.resourceVersion;
    if (!passing.test(key) && now !== metadata.resourceVersion) say(`${key} changed`);
  }
  for (const [key, row] of after.rows) {
    if (before.rows.has(key)) continue;
    for (const [column, value] of Object.entries(row)) {
      if (!OWN_TEXTS.has(column) && victim.ids.has(String(value)))
        say(`${key} names what is the victim's in ${column}`);
    }
    if (holdsSecret(JSON.stringify(row), victim)) say(`${key} holds a secret of the victim's`);
    const text = row['spec_field'];
    if (typeof text === 'string') for (const one of targetsOf(text, victim, attacker)) say(`${key} ${one}`);
  }
  for (const [key, object] of after.objects) {
    if (before.objects.has(key)) continue;
    if (holdsSecret(decoded(object), victim)) say(`${key} holds a secret of the victim's`);
    if (object.metadata.namespace !== engineNamespace) continue;
    for (const one of namesIn(object)) if ([...victim.ids].some((id) => one.includes(id))) say(`${key} names ${one}`);
  }
  return found;
};

const holdsSecret = (text: string, victim: Possessions): boolean =>
  victim.secrets.some((secret) => text.includes(secret));

/** An object as text, with what a Secret has in base64 readable. */
const decoded = (object: KubeObject & { readonly data?: Readonly<Record<string, string>> }): string =>
  JSON.stringify(object) +
  Object.values(object.data ?? {})
    .map((value) => Buffer.from(value, 'base64').toString())
    .join('\n');

/** What an Application's row says of where it goes, if that is the victim's. */
const targetsOf = (text: string, { ids, namespace }: Possessions, attacker: string): readonly string[] => {
  const { destination, project } = readSpecField(text);
  const owned = [destination.name, destination.server, project].filter((one) =>
    [...ids].some((id) => one.includes(id)),
  );
  const here = destination.name === 'in-cluster' && destination.namespace !== attacker;
  return [
    ...owned.map((one) => `goes to the victim's ${one}`),
    ...(here
      ? [`goes to the namespace ${destination.namespace} of this cluster, not ${namespace}'s neighbour's own`]
      : []),
  ];
};

/** Names by which an object of Argo CD's refers to others. */
const namesIn = (object: KubeObject): readonly string[] => {
  const { spec } = object as KubeObject & {
    readonly spec?: {
      readonly project?: string;
      readonly destination?: { readonly name?: string; readonly server?: string };
      readonly destinations?: readonly { readonly name?: string; readonly server?: string }[];
    };
  }; // an Application or an AppProject, as far as it goes
  const destinations = [spec?.destination ?? {}, ...(spec?.destinations ?? [])];
  return [spec?.project ?? '', ...destinations.flatMap(({ name = '', server = '' }) => [name, server])];
};
