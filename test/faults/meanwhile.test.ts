// What others do while a persistent program runs: rename files over the database and back, and replace the program's own file.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { newDatabase } from '../rig/database';
import { converse, PolicyProgram, request } from '../rig/policy-program';
import { makeFolder, newPath } from '../rig/scratch';
import { copyProgram } from '../rig/service-program';

const DUNNO = 'action=dunno\n\n';
const REJECT = 'action=reject 5.7.1 bob may not send mail from 10.1.1.1\n\n';
const ASK = request('bob', '10.1.1.1');

test('files renamed over the database and back, as fast as possible: the last one counts', async () => {
  const files = ['10.0.0.0/8', '192.0.2.0/24'].map((network) => newDatabase([{ name: 'bob', network }]));
  const db = newPath();
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

// The network is read with ip-cidr, which the program has in itself and loads with the first such row.
test("the program's file is replaced by another under a running program: nothing changes for it", async () => {
  const db = newDatabase([{ name: 'bob', network: '10.0.0.1/8', byHand: true }]);
  const copy = copyProgram(makeFolder());
  const program = await PolicyProgram.start(['--persistent', '--db', db], { command: [process.execPath, copy] });
  assert.equal(await program.ask(request('', '10.1.1.1')), DUNNO);
  fs.writeFileSync(copy, 'process.exit(1)');
  assert.equal(await program.ask(ASK), DUNNO);
  assert.match(await program.ask(request('bob', '192.0.2.1')), /^action=reject /);
  program.end();
  const { status, log } = await program.ended;
  assert.equal(status, 0, log.join('\n'));
});

test('better-sqlite3 removed under a program that has not loaded it yet: trouble with the remedy', async () => {
  const folder = makeFolder();
  const command = [process.execPath, copyProgram(folder)];
  fs.rmSync(join(folder, 'node_modules'), { recursive: true });
  const input = request('', '::1') + ASK;
  const { bytes, status, log } = await converse(['--persistent', '--db', newDatabase()], input, { command });
  assert.deepEqual([bytes, status], [DUNNO, 78]);
  assert.match(log.join('\n'), /^warn: better-sqlite3, or its native addon, is missing in .*; install it as /);
});
