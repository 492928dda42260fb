// The file of a database as a program meets it that goes on: renamed over at the wrong moment, changed thousands of times.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { FileState } from '../../src/rules/file-state';
import { LiveRules } from '../../src/rules/live';
import { writeDatabase } from '../policy/database';
import { makeScratch } from '../policy/scratch';

const file = path.join(makeScratch(), 'access.db');
const ROWS = [{ name: 'test1', network: '192.0.2.0/24' }];
const ASKED = { user: 'test1', wellFormed: true, address: '192.0.2.1' };

test('a file that is renamed over the opened one before it is looked at does not stand', () => {
  writeDatabase(file, ROWS);
  const header = fs.openSync(file, 'r');
  writeDatabase(file, ROWS);
  assert.equal(new FileState(file, header, null).stands(), false);
  fs.closeSync(header);
  const another = fs.openSync(file, 'r');
  assert.equal(new FileState(file, another, null).stands(), true);
  fs.closeSync(another);
});

test('a database that is opened anew after each change does not load the addon anew', (t) => {
  writeDatabase(file, ROWS);
  const live = new LiveRules(file);
  live.decide(ASKED, Date.now());
  const load = t.mock.method(process, 'dlopen');
  for (let i = 0; i < 20; i++) {
    fs.utimesSync(file, i, i);
    assert.equal(live.decide(ASKED, Date.now()).kind, 'allowed');
    live.rest();
  }
  live.close();
  assert.equal(load.mock.callCount(), 0);
});
