// Reads and writes the YAML that both halves share: Go structs without YAML tags, so keys are lower-cased field names,
// nothing is left out, and an absent pointer is null.
import { parseTime } from '../lib/clock.ts';

/** Turns one kind of value into plain YAML values and back. Reading never fails: what has the wrong shape counts as absent. */
export interface GoYaml<T> {
  write(value: T | undefined): unknown;
  read(raw: unknown): T;
}

/** A text; absent is ''. */
export const goText: GoYaml<string> = {
  write: (value) => value ?? '',
  read: (raw) => (typeof raw === 'string' ? raw : typeof raw === 'number' ? String(raw) : ''),
};

/** A whole number; absent is 0. */
export const goInteger: GoYaml<number> = {
  write: (value) => value ?? 0,
  read(raw) {
    const value = Number(raw ?? 0);
    return Number.isSafeInteger(value) ? value : 0;
  },
};

/** A truth value; absent is false. */
export const goFlag: GoYaml<boolean> = {
  write: (value) => value ?? false,
  read: (raw) => raw === true || raw === 'true',
};

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * A time as RFC 3339 text, written as such; read too where a writer made a map `{time: …}` of it. Absent is null, and so
 * is what is no time: no API server takes it where a time belongs.
 */
export const goTime: GoYaml<string | undefined> = {
  write: (value) => value ?? null,
  read(raw) {
    const text = isMap(raw) ? raw['time'] : raw;
    return typeof text === 'string' && RFC_3339.test(text) && parseTime(text) !== undefined ? text : undefined;
  },
};

/** A list; absent is empty. */
export const goList = <T>(item: GoYaml<T>): GoYaml<T[]> => ({
  write: (values) => (values ?? []).map((value) => item.write(value)),
  read: (raw) => (Array.isArray(raw) ? raw.map((entry) => item.read(entry)) : []),
});

/** A map from text to text, keys as they are. */
export const goMap: GoYaml<Record<string, string>> = {
  write: (value) => value ?? {},
  read: (raw) =>
    isMap(raw) ? Object.fromEntries(Object.entries(raw).map(([key, one]) => [key, goText.read(one)])) : {},
};

/** A pointer: null where absent. */
export const goPointer = <T>(to: GoYaml<T>): GoYaml<T | undefined> => ({
  write: (value) => (value === undefined ? null : to.write(value)),
  read: (raw) => (raw === null || raw === undefined ? undefined : to.read(raw)),
});

type Fields = Readonly<Record<string, GoYaml<unknown>>>;
type Struct<F extends Fields> = { [K in keyof F]: F[K] extends GoYaml<infer T> ? T : never };

/** A struct: every field is written, under its lower-cased name. */
export const goStruct = <F extends Fields>(fields: F): GoYaml<Struct<F>> => ({
  write: (value) =>
    Object.fromEntries(Object.entries(fields).map(([name, field]) => [name.toLowerCase(), field.write(value?.[name])])),
  read(raw) {
    const map = isMap(raw) ? raw : {};
    const read = Object.entries(fields).map(([name, field]) => [name, field.read(map[name.toLowerCase()])]);
    return Object.fromEntries(read) as Struct<F>; // built from the same fields, name for name
  },
});

const isMap = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === 'object' && raw !== null && !Array.isArray(raw);
