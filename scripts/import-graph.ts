// Prints the picture of who imports whom in src as Mermaid text; with --write, puts it into docs/architecture.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importPicture, withPicture } from '../test/checks/import-picture.ts';
import { readSources } from '../test/checks/source.ts';

const page = join(import.meta.dirname, '../docs/architecture.md');
const picture = importPicture(readSources());

if (process.argv.includes('--write')) writeFileSync(page, withPicture(readFileSync(page, 'utf8'), picture));
else process.stdout.write(`${picture}\n`);
