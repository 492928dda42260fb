// Which folders are closed to all but root and the service account: none in which other files lie.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { looseAccess } from '../../src/postfix/database-access';
import { makeFolder, removeFolder } from '../rig/scratch';

const account = { name: 'someone', uid: 65_534, gid: 65_533, group: 'somegroup' };

describe('the folder of a database', () => {
  const root = makeFolder('access');
  after(() => removeFolder(root));
  for (const [what, others, isClosed] of [
    ['alone', [], true],
    ['with what belongs to the database', ['access.db-journal', 'access.db.sync.json'], true],
    ['with another file', ['mail.db'], false],
    ['with another file whose name has a dot in the same place', ['mailboxes.db'], false],
    ['with another file whose name has a hyphen in the same place', ['customers-old'], false],
  ] as const) {
    test(what, () => {
      const folder = join(root, what);
      mkdirSync(folder);
      for (const name of ['access.db', ...others]) writeFileSync(join(folder, name), '');
      const loose = looseAccess(join(folder, 'access.db'), account).map(({ path }) => path);
      assert.deepEqual(loose, [...(isClosed ? [folder] : []), join(folder, 'access.db')]);
    });
  }
});
