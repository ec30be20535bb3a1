// YAML in and out. The only place that knows the YAML library.
import { parse, parseAllDocuments, stringify, YAMLParseError, type ScalarTag } from 'yaml';
import { Fault, messageOf } from './fault.ts';

/** Most aliases one document may expand to: a small file must not become a huge object. */
const MAX_ALIASES = 100;

/** The library's messages quote the text, which may hold a secret: only what is wrong and where is passed on. */
const refusal = (error: unknown): Fault => {
  const at = error instanceof YAMLParseError ? error.linePos?.[0] : undefined;
  const [what = ''] = messageOf(error).split(/(?<=\S): | at line |\n/, 1);
  return new Fault('user', 'InvalidYaml', at ? `${what} at line ${at.line}, column ${at.col}` : what);
};

/**
 * Parses one YAML document (YAML 1.2 core schema) into plain values.
 * @throws Fault('user', 'InvalidYaml') with line and column.
 */
export const parseYaml = (text: string): unknown => {
  try {
    return parse(text, { maxAliasCount: MAX_ALIASES, logLevel: 'error' });
  } catch (error) {
    throw refusal(error);
  }
};

/**
 * Parses a stream of YAML documents, leaving out empty ones.
 * @throws Fault('user', 'InvalidYaml') with line and column.
 */
export const parseYamlStream = (text: string): unknown[] => documentsOf(text, {});

const documentsOf = (text: string, options: { readonly uniqueKeys?: boolean }): unknown[] => {
  try {
    return [...parseAllDocuments(text, { logLevel: 'silent', ...options })]
      .map((document) => {
        const [error] = document.errors;
        if (error) throw error;
        return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown; // what a document holds is only known to its reader
      })
      .filter((value) => value !== null && value !== undefined);
  } catch (error) {
    throw refusal(error);
  }
};

/** What begins a node, a line or a comment: the library's cost grows with the square of their number in some texts. */
const INDICATOR = /[\n\r,[\]{}:&*!|>?"'#%@`]|-\s/g;

/**
 * Most of them in a text by a stranger. At that number the worst text found takes 40 ms; one of 1 MiB, not stopped here,
 * takes two minutes.
 */
const MAX_INDICATORS = 5000;

/**
 * Parses the first document of a text whose author may mean harm; undefined when there is none. Of keys given twice the last
 * one counts, as for Go's readers: looking for them is what would cost most.
 * @throws Fault('user', 'InvalidYaml') with line and column; also for a text with very many parts.
 */
export const parseYamlOfStranger = (text: string): unknown => {
  const indicators = text.matchAll(INDICATOR).drop(MAX_INDICATORS).next();
  if (!indicators.done) throw new Fault('user', 'InvalidYaml', `it has more than ${MAX_INDICATORS} parts`);
  return documentsOf(text, { uniqueKeys: false })[0];
};

/** Writes a plain value as YAML, block style, keys in the order given. */
export const toYaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

const nullTag: ScalarTag = {
  tag: 'tag:yaml.org,2002:null',
  default: true,
  test: /^(?:~|null|Null|NULL)?$/,
  resolve: () => null,
  identify: (value) => value === null,
};

/**
 * Parses one document leaving every scalar as the text that was written, null excepted. For formats whose reader knows
 * the type of each field: no `yes`, `012` or `1e3` turns into something else.
 * @throws Fault('user', 'InvalidYaml') with line and column.
 */
export const parseYamlScalarsAsText = (text: string): unknown => {
  try {
    return parse(text, {
      schema: 'failsafe',
      customTags: [nullTag],
      maxAliasCount: MAX_ALIASES,
      logLevel: 'error',
    });
  } catch (error) {
    throw refusal(error);
  }
};
