// YAML in and out. The only place that knows the YAML library.
import { parse, parseAllDocuments, stringify } from 'yaml';
import { Fault, messageOf } from './fault.ts';

/** Most aliases one document may expand to: a small file must not become a huge object. */
const MAX_ALIASES = 100;

/**
 * Parses one YAML document (YAML 1.2 core schema) into plain values.
 * @throws Fault('user', 'InvalidYaml') with the library's line and column.
 */
export const parseYaml = (text: string): unknown => {
  try {
    return parse(text, { maxAliasCount: MAX_ALIASES, logLevel: 'silent' });
  } catch (error) {
    throw new Fault('user', 'InvalidYaml', messageOf(error), { cause: error });
  }
};

/**
 * Parses a stream of YAML documents, leaving out empty ones.
 * @throws Fault('user', 'InvalidYaml') with the library's line and column.
 */
export const parseYamlStream = (text: string): unknown[] => {
  try {
    return [...parseAllDocuments(text, { logLevel: 'silent' })]
      .map((document) => {
        const [error] = document.errors;
        if (error) throw error;
        return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown; // what a document holds is only known to its reader
      })
      .filter((value) => value !== null && value !== undefined);
  } catch (error) {
    throw new Fault('user', 'InvalidYaml', messageOf(error), { cause: error });
  }
};

/** Writes a plain value as YAML, block style, keys in the order given. */
export const toYaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
