// Completion as people have it: keys typed into a real bash and a real zsh on a terminal, and the words that the program is then given.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { newDatabase } from '../rig/database';
import { PROGRAM } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const scratch = makeFolder();
const given = path.join(scratch, 'given');
const other = newDatabase([{ name: 'zoe@example.net', network: '10.0.0.0/8' }]);
const names = [
  'alice@example.com',
  'bob smith@example.com',
  'host:8080@example.com',
  "o'neill@example.com",
  'evil$(touch pwned)`touch pwned`@example.com',
  'm\u00fcller@example.com',
  '@example.com',
];
const db = newDatabase([
  ...names.map((name) => ({ name, network: 'any' })),
  { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
  { table: 'network_set', name: 'a:b', network: '203.0.113.0/24' },
]);

// What is typed runs the program only to complete it: its words are kept instead.
fs.mkdirSync(path.join(scratch, 'bin'));
fs.writeFileSync(
  path.join(scratch, 'bin/allow-nets'),
  `#!/bin/sh
case "$1" in completion|--get-yargs-completions) exec '${process.execPath}' '${PROGRAM}' "$@";; esac
{ printf '<%s>' "$@"; echo; } >> '${given}'
`,
  { mode: 0o755 },
);

/** TAB stands for the key. A name that a shell takes for more than text is not offered. */
const CASES: [typed: string, words: string[]][] = [
  ['cheTAB bob 10.0.0.1', ['check', 'bob', '10.0.0.1']],
  ['unbTAB alTAB', ['unblock', 'alice@example.com']],
  ['set reTAB offTAB --alTAB', ['set', 'remove', 'office', '--all']],
  ['list --jsTAB', ['list', '--json']],
  ['check alTAB 10.0.0.1', ['check', 'alice@example.com', '10.0.0.1']],
  ['check alice@TAB', ['check', 'alice@example.com']],
  ['list @exTAB', ['list', '@example.com']],
  ['list bobTAB', ['list', 'bob']],
  ['list hosTAB', ['list', 'host:8080@example.com']],
  ['list host:80TAB', ['list', 'host:8080@example.com']],
  ['list host:8080@eTAB', ['list', 'host:8080@example.com']],
  ['list evTAB', ['list', 'ev']],
  ['list m\u00fcTAB', ['list', 'm\u00fcller@example.com']],
  ['add carol @oTAB --noTAB x', ['add', 'carol', '@office', '--note', 'x']],
  ['add carol @a:TAB', ['add', 'carol', '@a:b']],
  [`list --db ${other} zTAB`, ['list', '--db', other, 'zoe@example.net']],
  [`list --db=${other} zTAB`, ['list', `--db=${other}`, 'zoe@example.net']],
  ['export --format jTAB', ['export', '--format', 'json']],
  ['--db /no/such.db list alTAB', ['--db', '/no/such.db', 'list', 'al']],
];

/** Types the lines into an interactive shell, one after the other, and compares the words that the program was given. */
function compare(shell: string, prepare: string): void {
  fs.rmSync(given, { force: true });
  const lines = CASES.map(([line]) => `allow-nets ${line.replaceAll('TAB', '\t')}`);
  const { stdout } = spawnSync(program('script'), ['-qec', shell, '/dev/null'], {
    input: [prepare, ...lines, 'exit', ''].join('\r'),
    encoding: 'utf8',
    cwd: scratch,
    timeout: 240_000,
    env: {
      PATH: `${scratch}/bin:${path.dirname(process.execPath)}:/usr/bin:/bin`,
      HOME: scratch,
      ZDOTDIR: scratch,
      HISTFILE: '/dev/null',
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      ALLOW_NETS_DB: db,
    },
  });
  assert.equal(fs.existsSync(path.join(scratch, 'pwned')), false, 'a name was run as a command');
  assert.ok(fs.existsSync(given), stdout);
  const words = fs.readFileSync(given, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    CASES.map(([line], i) => `${line}: ${words[i]}`),
    CASES.map(([line, wanted]) => `${line}: ${wanted.map((word) => `<${word}>`).join('')}`),
  );
}

test('completion in bash', needs('script'), () => {
  compare('bash --norc --noprofile -i', 'eval "$(allow-nets completion bash)"');
});

test('completion in zsh', needs('script', 'zsh'), () => {
  const prepare = 'autoload -Uz compinit; compinit -u -D; eval "$(allow-nets completion zsh)"';
  compare(`${program('zsh')} -f -i`, prepare);
});
