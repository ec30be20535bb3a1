// The environment of the process, read once.

/** Environment variables by name, as a value. */
export type Environment = Readonly<Record<string, string | undefined>>;
