// Whether users read what the specification promises them: its list of messages against what was said during a run.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A message that users are promised. */
export interface Promised {
  readonly id: string;
  /** Document and section of the specification. */
  readonly place: string;
  /** `<Kind> <Type>=<Status> <Reason>` of a condition, `<kind in lower case> denied` of a denial. */
  readonly of: string;
  /** A regular expression for the whole message. */
  readonly text: string;
}

/** A message that is promised and never said. */
interface Exception {
  readonly id: string;
  readonly why: string;
}

/** The list. */
export interface Promises {
  readonly messages: readonly Promised[];
  readonly exceptions: readonly Exception[];
}

const FILE = join(import.meta.dirname, '../contract/messages.json');

/** Reads the list. */
export const readPromises = (): Promises => JSON.parse(readFileSync(FILE, 'utf8')) as Promises; // our own file

/** What is wrong between the list and the lines that were said, in sentences: nothing, if all is well. */
export const brokenPromises = ({ messages, exceptions }: Promises, said: readonly string[]): readonly string[] => {
  const lines = [...new Set(said)];
  const isSaid = ({ of, text }: Promised): boolean => {
    const pattern = new RegExp(`^(?:${text})$`, 's');
    return lines.some((line) => line.startsWith(`${of}: `) && pattern.test(line.slice(of.length + 2)));
  };
  const excused = new Set(exceptions.map(({ id }) => id));
  const known = new Set(messages.map(({ id }) => id));
  return [
    ...messages
      .filter((one) => !excused.has(one.id) && !isSaid(one))
      .map(({ id, place, of, text }) => `${id} (${place}) was never said: ${of}: ${text}`),
    ...messages
      .filter((one) => excused.has(one.id) && isSaid(one))
      .map(({ id }) => `${id} needs no exception: it was said`),
    ...exceptions.filter(({ id }) => !known.has(id)).map(({ id }) => `${id} is an exception from nothing`),
    ...messages
      .filter(({ id }, at) => messages.findIndex((one) => one.id === id) !== at)
      .map(({ id }) => `${id} is there twice`),
  ];
};
