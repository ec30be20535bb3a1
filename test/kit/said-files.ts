// Reads back what the tests of a run have noted of what users were told.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** All lines that were written below a folder. */
export const readSaid = (folder: string): readonly string[] =>
  globSync('*', { cwd: folder }).flatMap(
    (file) =>
      readFileSync(join(folder, file), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as string), // as it was written
  );
