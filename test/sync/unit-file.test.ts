// The systemd unit in examples/many-servers runs what sync-mariadb.sh runs, which mariadb.test.ts tries for real.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

const example = (name: string) =>
  readFileSync(`examples/many-servers/${name}`, 'utf8')
    .replace(/\\\n\s*/g, '')
    .replaceAll('"', "'");

test('allow-nets-sync.service runs the command of sync-mariadb.sh, on the database that it makes', () => {
  const unit = example('allow-nets-sync.service');
  const [, db, command] = /^ExecStart=allow-nets sync --db (\S+) (.*)$/m.exec(unit) ?? [];
  const [, plain] = /^exec allow-nets sync (.*)$/m.exec(example('sync-mariadb.sh')) ?? [];
  assert.equal(typeof plain, 'string');
  assert.equal(command, plain);
  assert.equal(/^ExecStartPre=allow-nets init --db (\S+)$/m.exec(unit)?.[1], db);
  assert.equal(db, '/var/lib/allow-nets/access.db');
});
