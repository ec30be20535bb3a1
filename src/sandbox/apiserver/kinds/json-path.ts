// The simple JSON paths of printer columns: `.spec.name`, `.status.conditions[?(@.type=="Ready")].status`, `.a['b.c'][0]`.
import { isRecord } from '../../../kube/json.ts';
import { valueAt } from '../json.ts';

/** Finds a value in an object; undefined when there is none. */
export type JsonPath = (object: unknown) => unknown;

type Step = (value: unknown) => unknown;

const field =
  (name: string): Step =>
  (value) =>
    valueAt(value, name);

const index =
  (at: number): Step =>
  (value) =>
    Array.isArray(value) ? value.at(at) : undefined;

/** The first item, or member, whose field at `path` equals `wanted` (or differs from it). */
const where =
  (path: string, operator: string, wanted: unknown): Step =>
  (value) => {
    const items: unknown[] = Array.isArray(value) ? value : isRecord(value) ? Object.values(value) : [];
    return items.find((item) => (valueAt(item, ...path.split('.').slice(1)) === wanted) === (operator !== '!='));
  };

const each: Step = (value) => (Array.isArray(value) ? value[0] : isRecord(value) ? Object.values(value)[0] : undefined);

const literal = (text: string): unknown =>
  /^["']/.test(text) ? text.slice(1, -1) : text === 'true' || (text === 'false' ? false : Number(text));

const forms: readonly { readonly form: RegExp; readonly step: (match: readonly string[]) => Step }[] = [
  { form: /^\.((?:[\w-]|\\\.)+)/, step: ([, name = '']) => field(name.replaceAll('\\.', '.')) },
  { form: /^\[['"]([^'"]+)['"]\]/, step: ([, name = '']) => field(name) },
  { form: /^\[(-?\d+)\]/, step: ([, at = '']) => index(Number(at)) },
  { form: /^(?:\[\*\]|\.\*)/, step: () => each },
  {
    form: /^\[\?\(\s*@((?:\.[\w-]+)+)\s*(==|!=)\s*("[^"]*"|'[^']*'|[\w.-]+)\s*\)\]/,
    step: ([, path = '', operator = '', wanted = '']) => where(path, operator, literal(wanted)),
  },
];

/** Parses a path; undefined when it has a form that is not served. */
export const parseJsonPath = (text: string): JsonPath | undefined => {
  const steps: Step[] = [];
  let rest = text
    .trim()
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/^\$/, '');
  while (rest !== '' && rest !== '.') {
    const found = forms.map(({ form, step }) => ({ match: form.exec(rest), step })).find(({ match }) => match !== null);
    if (!found?.match) return undefined;
    steps.push(found.step(found.match));
    rest = rest.slice(found.match[0].length);
  }
  return (object) => steps.reduce<unknown>((value, step) => step(value), object);
};
