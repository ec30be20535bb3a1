// The commands of docs/install.md, run as they stand there.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the commands of a section in a shell, at the repository's root; what they printed. @throws where one fails. */
export const runPage = async (root: string, section: string, environment: NodeJS.ProcessEnv): Promise<string> => {
  const page = readFileSync(join(root, 'docs/install.md'), 'utf8');
  const text = page.split(/^## /m).find((one) => one.startsWith(`${section}\n`));
  const blocks = [...(text ?? '').matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands]) => commands);
  if (blocks.length === 0) throw new Error(`docs/install.md has no commands in the section ${section}`);
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', blocks.join('')], { cwd: root, env: environment });
  return stdout;
};
