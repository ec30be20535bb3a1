// Label and field selectors: parsed from their query form, asked of objects.
import { asText, valueAt } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { keyProblems, labelValueProblems } from './metadata-errors.ts';
import { badRequest } from '../refusal.ts';

/** Says whether an object is selected. */
export type Selector = (object: ApiObject) => boolean;

const everything: Selector = () => true;

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

const word = String.raw`[^\s,=!()]+`;
const setTerm = new RegExp(String.raw`^(${word})\s+(in|notin)\s*\(([^()]*)\)$`);
const equalityTerm = new RegExp(String.raw`^(${word})\s*(==|=|!=)\s*([^\s,=!()]*)$`);
const existsTerm = new RegExp(`^(!?)\\s*(${word})$`);

const refuse = (why: string): Error => badRequest(`unable to parse requirement: ${why}`);

const checkedKey = (key: string): string => {
  const [problem] = keyProblems(key);
  if (problem !== undefined) throw refuse(`<nil>: Invalid value: ${JSON.stringify(key)}: ${problem}`);
  return key;
};

const checkedValues = (key: string, values: readonly string[]): readonly string[] => {
  for (const [at, value] of values.entries()) {
    const [problem] = labelValueProblems(value);
    if (problem !== undefined)
      throw refuse(`values[${at}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`);
  }
  return values;
};

const parseLabelTerm = (term: string): LabelTest => {
  const [, setKey, setOperator, setValues] = setTerm.exec(term) ?? [];
  if (setKey !== undefined && setValues !== undefined) {
    const key = checkedKey(setKey);
    const values = checkedValues(
      key,
      setValues.split(',').map((item) => item.trim()),
    );
    const isIn: LabelTest = (labels) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? '');
    return setOperator === 'in' ? isIn : (labels) => !isIn(labels);
  }
  const [, label, operator, wanted] = equalityTerm.exec(term) ?? [];
  if (label !== undefined && wanted !== undefined) {
    const key = checkedKey(label);
    const [value] = checkedValues(key, [wanted]);
    return operator === '!=' ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const [, negated, name] = existsTerm.exec(term) ?? [];
  if (name === undefined) throw refuse(`${JSON.stringify(term)} is no label requirement`);
  const key = checkedKey(name);
  return (labels) => Object.hasOwn(labels, key) !== (negated === '!');
};

const splitOutsideParentheses = (text: string): string[] => text.split(/,(?![^(]*\))/).map((term) => term.trim());

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws 400 on anything else. */
export const parseLabelSelector = (text: string): Selector => {
  if (text.trim() === '') return everything;
  const tests = splitOutsideParentheses(text).map(parseLabelTerm);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return tests.every((test) => test(labels));
  };
};

const always = ['metadata.name', 'metadata.namespace'];

const isServed = (kind: Kind, field: string): boolean =>
  always.includes(field) ||
  kind.fieldLabels.some((label) => (label.endsWith('*') ? field.startsWith(label.slice(0, -1)) : field === label));

const refuseField = (kind: Kind, field: string): Error =>
  badRequest(
    kind.custom || kind.fieldLabels.length > 0
      ? `field label not supported: ${field}`
      : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );

/** Parses `metadata.name=a,type!=b` for a kind. Throws 400 on a field that the kind can't be selected by. */
export const parseFieldSelector = (text: string, kind: Kind): Selector => {
  if (text.trim() === '') return everything;
  const tests = text.split(',').map((term): Selector => {
    const [, field, operator, wanted] = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/.exec(term.trim()) ?? [];
    if (field === undefined || wanted === undefined) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    if (!isServed(kind, field)) throw refuseField(kind, field);
    const read = fieldReader(field);
    return (object) => (read(object) === wanted) !== (operator === '!=');
  });
  return (object) => tests.every((test) => test(object));
};

const fieldReader = (field: string): ((object: ApiObject) => string) => {
  // Asked of every object by lists and watches of single objects, so not by way of a path.
  if (field === 'metadata.name') return ({ metadata }) => metadata.name;
  if (field === 'metadata.namespace') return ({ metadata }) => metadata.namespace ?? '';
  const path = field.split('.');
  return (object) => {
    const found = valueAt(object, ...path);
    return typeof found === 'number' || typeof found === 'boolean' ? String(found) : asText(found);
  };
};
