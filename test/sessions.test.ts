// What README.md and examples/ show of the terminal is what the program prints.
// To write the files anew after a wanted change: UPDATE=1 node test/run.mjs sessions
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { run } from './rig/run';
import { compareWithFile, replay, withoutMoments } from './transcript';

const read = (file: string) => readFileSync(file, 'utf8');
const readme = read('README.md');

for (const file of ['examples/sessions/first-steps.txt', 'test/help.txt']) {
  test(`${file} is what the commands print`, () => compareWithFile(file, withoutMoments(replay(read(file)))));
}

test('README.md shows the sessions word for word, on two screens, with lines that fit', () => {
  for (const name of readdirSync('examples/sessions'))
    assert.ok(readme.includes(read(`examples/sessions/${name}`).trim()), name);
  const lines = readme.trimEnd().split('\n');
  assert.ok(lines.length <= 150, `${lines.length} lines`);
  assert.deepEqual(
    lines.filter((line) => line.length > 130 && !line.startsWith('|')),
    [],
  );
});

test('the commands of every day in README.md work as they stand', () => {
  const chapter = readme.slice(readme.indexOf('## Every day'));
  const commands = chapter.slice(0, chapter.indexOf('\n```')).match(/^ {4}allow-nets .*/gm) ?? [];
  assert.equal(commands.length, 7);
  const lines = ['allow-nets init > init.txt; cp examples/lists/ranges.csv .', ...commands.map((line) => line.trim())];
  const ran = withoutMoments(replay(lines.map((line) => `$ ${line}\n`).join('')));
  // bob was blocked just before: check refuses, and nothing else fails.
  assert.deepEqual(ran.match(/error:.*|\[exit.*/g), ['[exit 1]']);
  assert.match(ran, /^bob@example.com is now blocked$/m);
});

test('npm run demo', () => {
  const { status, stdout } = run([], { command: [process.execPath, 'examples/demo.mjs'] });
  assert.equal(status, 0);
  compareWithFile('examples/demo.txt', stdout);
});
