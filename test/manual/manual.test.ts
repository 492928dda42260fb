// The manual page: it says of every command what --help says, and groff has nothing against it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { needs, program } from '../requires';
import { run } from '../rig/run';

const PAGE = 'man/allow-nets.8';

/** The page as it is read: macros that carry text gone, escapes undone. */
function plainPage(): string {
  return readFileSync(PAGE, 'utf8')
    .replace(
      /\\\((aq|ha|ti|ga|dq)/g,
      (_, name: string) => ({ aq: "'", ha: '^', ti: '~', ga: '`', dq: '"' })[name] ?? '',
    )
    .replace(/\\&/g, '')
    .replace(/\\e/g, '\\')
    .replace(/\\-/g, '-');
}

const said = new Map<string, string>();

function help(...words: string[]): string {
  const known = said.get(words.join(' '));
  if (known !== undefined) return known;
  const { stdout, ...rest } = run([...words, '--help']);
  assert.deepEqual(rest, { status: 0, stderr: '' });
  said.set(words.join(' '), stdout);
  return stdout;
}

/** The words of the commands as the first --help lists them, those of a group one by one. */
function commands(): string[][] {
  const names = (text: string) =>
    [...text.matchAll(/^ {2}allow-nets ((?:set )?[a-z]+)/gm)].map(([, words = '']) => words.split(' '));
  return names(help()).flatMap((words) => {
    const members = names(help(...words)).filter((member) => member.length > words.length);
    return members.length > 0 ? members : [words];
  });
}

/** A subsection of the page, from its heading to the next one. */
function chapterOf(words: readonly string[]): string {
  const page = plainPage();
  const start = page.indexOf(`.SS "${words.join(' ')}`);
  assert.ok(start >= 0, `no chapter about ${words.join(' ')}`);
  return page.slice(start, page.indexOf('.S', start + 3));
}

const optionsIn = (text: string) =>
  new Set([...text.matchAll(/(?:^|[\s"])--([a-z0-9-]+)(?=[\s"])/gm)].map(([, name]) => name));

const COMMON = ['version', 'help', 'db'];

describe('the manual page', () => {
  test('every command has a chapter, with the options and words of its --help', () => {
    const all = commands();
    assert.ok(all.length >= 12);
    for (const words of all) {
      const text = help(...words);
      const chapter = chapterOf(words);
      const listed = new Set([...text.matchAll(/^\s+(?:-\w, )?--([a-z0-9-]+) /gm)].map(([, name]) => name));
      const told = new Set([...chapter.matchAll(/^\.B ".*--([a-z0-9-]+)/gm)].map(([, name]) => name));
      for (const name of COMMON) listed.delete(name);
      assert.deepEqual(told, listed, words.join(' '));
      for (const option of told) assert.ok(optionsIn(text).has(option));
    }
  });
  test('every command and example is in the synopsis and among the examples', () => {
    const page = plainPage();
    for (const words of commands()) {
      assert.match(page, new RegExp(`^allow-nets ${words.join(' ')}\\b.*`, 'm'));
      const examples =
        help(...words)
          .split('Examples:\n')[1]
          ?.split('\n\n')[0] ?? '';
      const [first = ''] = examples.trim().split(/ {2,}/);
      assert.ok(page.includes(first), `example of ${words.join(' ')}: ${first}`);
    }
  });
  test('the options of the policy program', () => {
    const page = plainPage();
    const start = page.indexOf('.SH "OPTIONS OF THE POLICY PROGRAM"');
    const told = optionsIn(page.slice(start, page.indexOf('.SH', start + 3)));
    for (const name of ['db', 'persistent', 'reject-text', 'log']) assert.ok(told.has(name), name);
  });
  test('package.json has it', () => {
    const { man, files } = JSON.parse(readFileSync('package.json', 'utf8'));
    assert.deepEqual(man, [PAGE]);
    assert.ok(files.includes('man') && existsSync(PAGE));
  });
});

describe('man', needs('man'), () => {
  test('formats it without a warning', () => {
    const words = ['--warnings=w', '--encoding=UTF-8', '--local-file', PAGE];
    const ran = spawnSync(program('man'), words, {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '100', LC_ALL: 'C.UTF-8' },
    });
    assert.equal(ran.stderr, '');
    assert.equal(ran.status, 0);
    assert.match(ran.stdout, /allow-nets - let authenticated users send mail only from their networks/);
  });
});
