// A file that is made, not written.

/** Where a generated file goes, relative to the root of the repository, and all that is in it. */
export interface GeneratedFile {
  readonly path: string;
  readonly text: string;
}
