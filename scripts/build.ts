// Puts the service into dist/: one file with everything it imports, and the migrations, which it reads at run time.
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const to = process.argv[2] ?? join(root, 'dist');

await rm(to, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/main/managed-gitops.ts'],
  outfile: join(to, 'managed-gitops.mjs'),
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  sourcemap: 'linked',
  external: ['pg-native'],
  // The CommonJS packages inside ask for Node's own modules with `require`, which an ES module lacks.
  banner: { js: "import * as bundled from 'node:module';\nconst require = bundled.createRequire(import.meta.url);" },
  logLevel: 'warning',
});
await cp(join(root, 'src/db/migrations'), join(to, 'migrations'), { recursive: true });
