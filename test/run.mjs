// Runs the tests: npm test [-- FILTER]. Each test/**/*.test.ts is bundled by esbuild into build/, because Node 20
// neither reads TypeScript nor takes a glob for --test. FILTER is a part of the test file's path.
//
// A suite that needs a package that is not installed is left out loudly; with CI=true that is a failure.
// As root with apt the packages are installed first.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const filter = process.argv[2] ?? '';
const tests = readdirSync('test', { recursive: true })
  .map((name) => `test/${name}`)
  .filter((name) => name.endsWith('.test.ts') && name.includes(filter))
  .sort();

rmSync('build/test', { recursive: true, force: true });
mkdirSync('build/test', { recursive: true });
await build({
  entryPoints: tests,
  outdir: 'build/test',
  outbase: 'test',
  bundle: true,
  packages: 'external',
  platform: 'node',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
});
const files = tests.map((name) => name.replace(/^test/, 'build/test').replace(/\.ts$/, '.js'));
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', '--test-concurrency=2', ...files],
  { stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;
