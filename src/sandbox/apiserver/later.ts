// Answers that are there at once, unless somebody outside has to be asked first: then they come later.

/** A value, or the promise of one. */
export type Later<T> = T | Promise<T>;

/** What follows from a value, at once where it is there already. */
export const after = <T, R>(value: Later<T>, then: (value: T) => R): Later<R> =>
  value instanceof Promise ? value.then(then) : then(value);
