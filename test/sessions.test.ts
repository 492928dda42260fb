// What README.md and examples/ show of the terminal is what the program prints.
// To write the files anew after a wanted change: UPDATE=1 node test/run.mjs sessions
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { ROOT, replay, withoutMoments } from './transcript';

const update = (process.env['UPDATE'] ?? '') !== '';

function compare(file: string, now: string): void {
  if (update) fs.writeFileSync(path.join(ROOT, file), withoutMoments(now));
  assert.equal(withoutMoments(now), withoutMoments(fs.readFileSync(path.join(ROOT, file), 'utf8')));
}

test('a session of examples/sessions', async (t) => {
  for (const name of ['first-steps.txt']) {
    await t.test(name, () => {
      const file = `examples/sessions/${name}`;
      compare(file, replay(fs.readFileSync(path.join(ROOT, file), 'utf8')));
    });
  }
});

test('--help of all commands', () => {
  const help = 'test/help.txt';
  compare(help, replay(fs.readFileSync(path.join(ROOT, help), 'utf8')));
});

test('README.md shows the sessions word for word', () => {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  for (const name of fs.readdirSync(path.join(ROOT, 'examples/sessions'))) {
    const session = fs.readFileSync(path.join(ROOT, 'examples/sessions', name), 'utf8');
    assert.ok(readme.includes(session.trim()), name);
  }
});

test('README.md is two screens, with lines that fit', () => {
  const lines = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8').trimEnd().split('\n');
  assert.ok(lines.length <= 150, `${lines.length} lines`);
  assert.deepEqual(
    lines.filter((line) => line.length > 130 && !line.startsWith('|')),
    [],
  );
});

test('the commands of every day in README.md work as they stand', () => {
  const readme = fs.readFileSync(path.join(ROOT, 'README.md'), 'utf8');
  const chapter = readme.slice(readme.indexOf('## Every day'));
  const commands = chapter.slice(0, chapter.indexOf('\n```')).match(/^ {4}allow-nets .*/gm) ?? [];
  assert.equal(commands.length, 7);
  const session = [
    'allow-nets init > init.txt; cp examples/lists/ranges.csv .',
    ...commands.map((line) => line.trim()),
  ];
  const ran = withoutMoments(replay(session.map((line) => `$ ${line}\n`).join('')));
  // bob was blocked just before: check refuses, and nothing else fails.
  assert.deepEqual(ran.match(/error:.*|\[exit.*/g), ['[exit 1]']);
  assert.match(ran, /^bob@example.com is now blocked$/m);
});

test('npm run demo', () => {
  compare('examples/demo.txt', execFileSync(process.execPath, ['examples/demo.mjs'], { cwd: ROOT, encoding: 'utf8' }));
});
