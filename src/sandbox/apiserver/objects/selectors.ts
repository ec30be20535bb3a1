// Label and field selectors: parsed from their query form, asked of objects.
import { asText, valueAt } from '../json.ts';
import type { ApiObject, Kind } from '../kinds/kind.ts';
import { badRequest } from '../refusal.ts';

/** Says whether an object is selected. */
export type Selector = (object: ApiObject) => boolean;

const everything: Selector = () => true;

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

const key = String.raw`[A-Za-z0-9][A-Za-z0-9_./-]*`;
const value = String.raw`[A-Za-z0-9_.-]*`;
const setTerm = new RegExp(String.raw`^(${key})\s+(in|notin)\s*\(([^()]*)\)$`);
const equalityTerm = new RegExp(String.raw`^(${key})\s*(==|=|!=)\s*(${value})$`);
const existsTerm = new RegExp(`^(!?)\\s*(${key})$`);

const parseLabelTerm = (term: string): LabelTest | undefined => {
  const [, setKey, setOperator, setValues] = setTerm.exec(term) ?? [];
  if (setKey !== undefined && setValues !== undefined) {
    const values = setValues.split(',').map((item) => item.trim());
    if (setOperator === 'in') return (labels) => values.includes(labels[setKey] ?? '\0');
    return (labels) => !values.includes(labels[setKey] ?? '\0');
  }
  const [, label, operator, wanted] = equalityTerm.exec(term) ?? [];
  if (label !== undefined) {
    return operator === '!=' ? (labels) => labels[label] !== wanted : (labels) => labels[label] === wanted;
  }
  const [, negated, name] = existsTerm.exec(term) ?? [];
  if (name === undefined) return undefined;
  return (labels) => Object.hasOwn(labels, name) !== (negated === '!');
};

const splitOutsideParentheses = (text: string): string[] => text.split(/,(?![^(]*\))/).map((term) => term.trim());

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws 400 on anything else. */
export const parseLabelSelector = (text: string): Selector => {
  if (text.trim() === '') return everything;
  const tests = splitOutsideParentheses(text).map((term) => {
    const test = parseLabelTerm(term);
    if (!test) throw badRequest(`unable to parse requirement: ${JSON.stringify(term)} is no label requirement`);
    return test;
  });
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return tests.every((test) => test(labels));
  };
};

const always = ['metadata.name', 'metadata.namespace'];

const isServed = (kind: Kind, field: string): boolean =>
  always.includes(field) ||
  kind.fieldLabels.some((label) => (label.endsWith('*') ? field.startsWith(label.slice(0, -1)) : field === label));

/** Parses `metadata.name=a,type!=b` for a kind. Throws 400 on a field that the kind can't be selected by. */
export const parseFieldSelector = (text: string, kind: Kind): Selector => {
  if (text.trim() === '') return everything;
  const tests = text.split(',').map((term): Selector => {
    const [, field, operator, wanted] = /^([^=!]+?)\s*(==|=|!=)\s*(.*)$/.exec(term.trim()) ?? [];
    if (field === undefined || wanted === undefined) {
      throw badRequest(`invalid field selector ${JSON.stringify(term)}: expected <field>=<value>`);
    }
    if (!isServed(kind, field)) throw badRequest(`field label not supported: ${field}`);
    const path = field.split('.');
    return (object) => (fieldText(object, path) === wanted) !== (operator === '!=');
  });
  return (object) => tests.every((test) => test(object));
};

const fieldText = (object: ApiObject, path: readonly string[]): string => {
  const found = valueAt(object, ...path);
  return typeof found === 'number' || typeof found === 'boolean' ? String(found) : asText(found);
};
