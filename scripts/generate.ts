// Writes every file of the repository that is made from code, formatted as the rest is.
//   node scripts/generate.ts              all of them
//   node scripts/generate.ts manifests    the CustomResourceDefinitions only
//   … --to <folder>                       into another folder, so that a check can compare
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { errorsPage } from './generate/errors.ts';
import type { GeneratedFile } from './generate/generated-file.ts';
import { manifests } from './generate/manifests.ts';

const groups: Readonly<Record<string, () => GeneratedFile[]>> = {
  manifests,
  docs: () => [errorsPage()],
};

const repository = join(import.meta.dirname, '..');

const write = async (to: string, { path, text }: GeneratedFile): Promise<void> => {
  const style = await resolveConfig(join(repository, path));
  const file = join(to, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await format(text, { ...style, filepath: path }));
  process.stdout.write(`${path}\n`);
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { to: { type: 'string' } } });
for (const name of positionals.length > 0 ? positionals : Object.keys(groups)) {
  const made = groups[name];
  if (!made) throw new Error(`nothing is called ${name}; there are ${Object.keys(groups).join(', ')}`);
  for (const file of made()) await write(values.to ?? repository, file);
}
