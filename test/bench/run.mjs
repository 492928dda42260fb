// npm run bench: bundles bench.ts, because Node 20 does not read TypeScript, and runs it. The shipped program must
// have been built (npm run bench does that first).
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const outfile = 'build/bench/bench.mjs';
await build({
  entryPoints: ['test/bench/bench.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);
