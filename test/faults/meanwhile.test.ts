// What others do while a persistent program runs: change the database beside a slow log program, rename files over the database and back,
// and replace the program's own file.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { writeDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { PROGRAM } from '../rig/run';
import { makeFolder } from '../rig/scratch';

const scratch = makeFolder();
const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 bob may not send mail from 10.1.1.1\n\n';
const ASK = request('bob', '10.1.1.1');

function fresh(name: string, network: string, byHand = false): string {
  const file = path.join(scratch, name);
  writeDatabase(file, [{ name: 'bob', network, byHand }]);
  return file;
}

for (const mode of [[], ['--persistent']]) {
  test(`a change does not wait while a slow log program takes a refusal ${mode}`, async () => {
    const db = fresh(`slow${mode.length}.db`, '192.0.2.0/24');
    const program = await PolicyProgram.start([...mode, '--db', db], { postlog: 'sleep 4; cat > /dev/null' });
    assert.equal(await program.ask(ASK), REJECT);
    const begun = Date.now();
    const words = [PROGRAM, 'add', 'bob', '10.0.0.0/8', '--db', db];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(program.child.exitCode, null, 'the log program still runs');
    assert.ok(Date.now() - begun < 4000);
    if (mode.length > 0) assert.equal(await program.ask(ASK), DUNNO);
    program.end();
    assert.equal((await program.ended).status, 0);
  });
}

test('files renamed over the database and back, as fast as can be: the one that stays counts', async () => {
  const files = [fresh('allowed', '10.0.0.0/8'), fresh('refused', '192.0.2.0/24')];
  const db = path.join(scratch, 'flipped.db');
  const put = (file = '') => {
    fs.linkSync(file, `${db}.new`);
    fs.renameSync(`${db}.new`, db);
    // Two names of one file: rename leaves both where they are.
    fs.rmSync(`${db}.new`, { force: true });
  };
  put(files[0]);
  const program = await PolicyProgram.start(['--persistent', '--log', 'none', '--db', db]);
  const seen = { [DUNNO]: 0, [REJECT]: 0 };
  for (let round = 0; round < 60; round++) {
    const begun = program.bytes.length;
    program.write(ASK.repeat(20));
    for (let i = 0; i < 40 + (round % 7); i++) put(files[i % 2]);
    const last = round % 3 === 0 ? 1 : 0;
    put(files[last]);
    // The last answer of these 20 may have been decided before.
    let bytes = '';
    while (bytes.split('\n\n').length <= 20) bytes = (await program.received(begun + bytes.length + 1)).slice(begun);
    for (const answer of bytes.split(/(?<=\n\n)/)) {
      assert.ok(answer === DUNNO || answer === REJECT, JSON.stringify(answer));
      seen[answer]++;
    }
    assert.equal(await program.ask(ASK), last === 0 ? DUNNO : REJECT, `round ${round}`);
  }
  program.end();
  assert.equal((await program.ended).status, 0);
  assert.ok(Math.min(seen[DUNNO], seen[REJECT]) > 20, JSON.stringify(seen));
});

/** A copy of the program in a folder of its own. @returns its path */
function copyProgram(folder: string): string {
  const copy = path.join(scratch, folder, 'bin/allow-nets.js');
  fs.mkdirSync(path.dirname(copy), { recursive: true });
  fs.copyFileSync(PROGRAM, copy);
  return copy;
}

// The network is read with ip-cidr, which the program has in itself and loads with the first such row.
for (const [what, change] of [
  ['removed', (file: string) => fs.rmSync(file)],
  ['replaced by a part of one', (file: string) => fs.truncateSync(file, 1000)],
  ['replaced by another', (file: string) => fs.writeFileSync(file, 'process.exit(1)')],
] as const) {
  test(`the program's file is ${what} under a running program: nothing changes for it`, async () => {
    const db = fresh(`upgrade ${what}.db`, '10.0.0.1/8', true);
    const copy = copyProgram(what);
    fs.symlinkSync(path.resolve('node_modules'), path.join(scratch, what, 'node_modules'));
    const program = await PolicyProgram.start(['--persistent', '--db', db], { command: [process.execPath, copy] });
    assert.equal(await program.ask(request('', '10.1.1.1')), DUNNO);
    change(copy);
    assert.equal(await program.ask(ASK), DUNNO);
    assert.match(await program.ask(request('bob', '192.0.2.1')), /^action=reject /);
    program.end();
    const { status, log } = await program.ended;
    assert.equal(status, 0, log.join('\n'));
  });
}

test('better-sqlite3 removed under a program that has not yet needed it: trouble with the remedy', async () => {
  const db = fresh('no-driver.db', '10.0.0.0/8');
  const command = [process.execPath, copyProgram('no-driver')];
  const { bytes, status, log } = await converse(['--persistent', '--db', db], request('', '::1') + ASK, { command });
  assert.deepEqual([bytes, status], [DUNNO, 78]);
  assert.match(log.join('\n'), /^warn: better-sqlite3, or its native addon, is missing in .*; install it as /);
});
