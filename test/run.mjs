// Runs the tests, see README.md: node test/run.mjs [--full | FILTER...]. Without an argument those of every day, with --full the rest,
// with FILTERs every file that has one of them in its path; with SOAK=1 in their long form, one file after the other. esbuild bundles each
// test/**/*.test.ts into build/, because Node 20 neither reads TypeScript nor takes a glob for --test.
//
// Packages of Debian that a suite needs are installed first, as root with apt. A suite whose programs are missing is left out, and the
// last lines say so; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { build } from 'esbuild';
import { installMissing, missing } from './packages.mjs';

/** What is left to --full: other servers, the package, crowds, and what takes long because it tries many cases. */
const FULL = new RegExp(
  [
    'faults/(?!lookup|requests)',
    'install/(nodes|package)',
    'sync/many-sites',
    'commands/(killed-writer|round-trip|long-list)',
    'maillog/truth',
  ].join('|'),
);

const filters = process.argv.slice(2);
const isFull = filters[0] === '--full';
const tests = readdirSync('test', { recursive: true })
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) =>
    filters.length === 0 || isFull
      ? FULL.test(name) === isFull
      : filters.some((filter) => `test/${name}`.includes(filter)),
  )
  .map((name) => `test/${name}`)
  .sort();
if (tests.length === 0) {
  console.error(`no test file has ${filters.join(' or ')} in its path`);
  process.exit(1);
}

/** The names in every `needs('...', ...)` call of a test file: the suite itself is the one place that says it. */
const needsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/\bneeds\(([^)]*)\)/g)].flatMap(([, names]) =>
    [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name),
  );
installMissing(tests.flatMap(needsOf));
const leftOut = tests.flatMap((file) => missing(needsOf(file)).map((lacking) => `${file} needs ${lacking}`));

rmSync('build/test', { recursive: true, force: true });
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
// Of the tests of every day twice as many files as cores at once, because many wait for Postfix; the others need the machine.
const atOnce = process.env.SOAK === '1' ? 1 : availableParallelism() * (isFull ? 1 : 2);
const files = tests.map((name) => `build/${name.replace(/\.ts$/, '.js')}`);
// Postfix writes its log in local time, which the developer's machine would choose.
const env = { ...process.env, TZ: 'UTC' };
const options = ['--enable-source-maps', '--test', '--test-reporter=spec', `--test-concurrency=${atOnce}`];
process.exitCode = spawnSync(process.execPath, [...options, ...files], { stdio: 'inherit', env }).status ?? 1;

// At the end, where it is seen: a run that tested nothing must not look like a successful one.
if (leftOut.length > 0) {
  const bar = '!'.repeat(100);
  const verdict = process.env.CI === 'true' ? 'CI=true: this is a failure' : 'nothing in them was tested';
  console.error(`\n${bar}\n!! LEFT OUT (${verdict}):\n${leftOut.map((line) => `!!   ${line}`).join('\n')}\n${bar}`);
  if (process.env.CI === 'true') process.exitCode = 1;
}
