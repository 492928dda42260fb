// The manual page: it says of every command what --help says, and groff has nothing against it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { needs, program } from '../requires';
import { mustRun, run } from '../rig/run';

const PAGE = 'man/allow-nets.8';
const COMMON = ['version', 'help', 'db'];
const CHARACTERS: Readonly<Record<string, string>> = { aq: "'", ha: '^', ti: '~', ga: '`', dq: '"' };

/** The page as it is read, with the macros, but without escapes. */
const page = readFileSync(PAGE, 'utf8')
  .replace(/\\\((\w\w)/g, (_, name: string) => CHARACTERS[name] ?? '')
  .replace(/\\&/g, '')
  .replace(/\\e/g, '\\')
  .replace(/\\-/g, '-');

const helpTexts = new Map<string, string>();

function help(words: string): string {
  const text = helpTexts.get(words) ?? mustRun([...words.split(' ').filter(Boolean), '--help']);
  helpTexts.set(words, text);
  return text;
}

/** The commands as the first --help lists them, those of a group one by one. */
function commands(): string[] {
  const names = (text: string) =>
    [...text.matchAll(/^ {2}allow-nets ((?:set )?[a-z]+)/gm)].map(([, name = '']) => name);
  return names(help('')).flatMap((name) => (name === 'set' ? names(help(name)) : [name]));
}

/** A part of the page, from its heading to the next one. */
function part(heading: string): string {
  const start = page.indexOf(`\n.S${heading}`);
  assert.ok(start >= 0, `no part ${heading}`);
  return page.slice(start, page.indexOf('\n.S', start + 3));
}

const optionsIn = (text: string, start: string) =>
  new Set(
    [...text.matchAll(new RegExp(`^${start}(?:-\\w[^-]*, )?(?:-.*, )?--([a-z0-9-]+)`, 'gm'))].map(
      ([, name = '']) => name,
    ),
  );

test('every command has a section with the options of its --help, a line in the synopsis and an example', () => {
  const all = commands();
  assert.ok(all.length >= 20);
  for (const words of all) {
    const listed = optionsIn(help(words), ' +');
    for (const name of COMMON) listed.delete(name);
    assert.deepEqual(optionsIn(part(`S "${words}`), '\\.B "'), listed, words);
    assert.match(part('H "SYNOPSIS'), new RegExp(`^allow-nets ${words}\\b`, 'm'));
    const [example = ''] = help(words).split('Examples:\n')[1]?.trim().split(/ {2,}/) ?? [];
    assert.ok(part('H "EXAMPLES').includes(example), `example of ${words}: ${example}`);
  }
  const ofPolicy = optionsIn(part('H "OPTIONS OF THE POLICY PROGRAM'), '\\.B "');
  assert.deepEqual(ofPolicy, new Set(['db', 'persistent', 'reject-text', 'log']));
});

test('package.json has it, and man formats it without a warning', needs('man'), () => {
  const { man, files } = JSON.parse(readFileSync('package.json', 'utf8'));
  assert.deepEqual({ man, isPacked: files.includes('man') }, { man: [PAGE], isPacked: true });
  const words = ['--warnings=w', '--encoding=UTF-8', '--local-file', PAGE];
  const { status, stdout, stderr } = run(words, { command: [program('man')], env: { MANWIDTH: '100' } });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.match(stdout, /allow-nets - let authenticated users send mail only from their networks/);
});
