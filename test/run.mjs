// Runs the tests, see README.md: node test/run.mjs [--full | FILTER]. Without an argument those of every day, with --full the rest, with
// FILTER every file that has it in its path; with SOAK=1 in their long form, one file after the other. esbuild bundles each
// test/**/*.test.ts into build/, because Node 20 neither reads TypeScript nor takes a glob for --test.
//
// Packages of Debian that a suite needs are installed first, as root with apt. A suite whose programs are missing is left out, and the
// last lines say so; with CI=true that is a failure.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { build } from 'esbuild';
import { installMissing, missing } from './packages.mjs';

/** Parts of the paths of what is left to --full: other servers, the package, crowds, and what takes long because it tries many cases. */
const FULL = [
  'faults/crowd',
  'faults/database',
  'faults/exceptions',
  'faults/limits',
  'faults/log',
  'faults/long-run',
  'faults/meanwhile',
  'faults/peers',
  'install/nodes',
  'install/package',
  'sync/mariadb',
  'sync/postgresql',
  'commands/migration',
  'commands/killed-writer',
  'commands/round-trip',
  'maillog/truth',
];

const filter = process.argv[2] ?? '';
const isFull = (name) => FULL.some((part) => name.includes(part));
const isChosen = {
  '': (name) => !isFull(name),
  '--full': isFull,
}[filter];
const tests = readdirSync('test', { recursive: true })
  .map((name) => `test/${name}`)
  .filter((name) => name.endsWith('.test.ts') && (isChosen?.(name) ?? name.includes(filter)))
  .sort();
if (tests.length === 0) {
  console.error(`no test file has ${JSON.stringify(filter)} in its path`);
  process.exit(1);
}

const needsOf = new Map(tests.map((name) => [name, declaredNeeds(readFileSync(name, 'utf8'))]));
installMissing([...needsOf.values()].flat());
const leftOut = tests.flatMap((name) => {
  const lacks = missing(needsOf.get(name) ?? []);
  return lacks.length === 0 ? [] : [`${name} needs ${lacks.join(', ')}`];
});

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
// Of the tests of every day twice as many files as cores at once, because many wait for Postfix; the others need the machine.
const cores = availableParallelism();
const atOnce = process.env.SOAK === '1' ? 1 : filter === '--full' ? cores : 2 * cores;
const files = tests.map((name) => name.replace(/^test/, 'build/test').replace(/\.ts$/, '.js'));
const run = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-reporter=spec', `--test-concurrency=${atOnce}`, ...files],
  { stdio: 'inherit' },
);
process.exitCode = run.status ?? 1;

// At the end, where it is seen: a run that tested nothing must not look like a successful one.
if (leftOut.length > 0) {
  const bar = '!'.repeat(100);
  const verdict = process.env.CI === 'true' ? 'CI=true: this is a failure' : 'nothing in them was tested';
  console.error(`\n${bar}\n!! LEFT OUT (${verdict}):\n${leftOut.map((line) => `!!   ${line}`).join('\n')}\n${bar}`);
  if (process.env.CI === 'true') process.exitCode = 1;
}

/** The names in every `needs('...', ...)` call of a test file: the suite itself is the one place that says it. */
function declaredNeeds(source) {
  return [...source.matchAll(/\bneeds\(([^)]*)\)/g)].flatMap(([, names]) =>
    [...names.matchAll(/'([^']+)'/g)].map(([, name]) => name),
  );
}
