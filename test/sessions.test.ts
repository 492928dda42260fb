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

test('npm run demo', () => {
  compare('examples/demo.txt', execFileSync(process.execPath, ['examples/demo.mjs'], { cwd: ROOT, encoding: 'utf8' }));
});
