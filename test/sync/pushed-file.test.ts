// A list that is pushed as a whole file, as examples/many-servers has it, while policy programs go on answering: right from the next request
// on, and never anything that neither list says.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { needs } from '../requires';
import { groupId } from '../rig/accounts';
import { writeDatabase } from '../rig/database';
import { makeFolder } from '../rig/scratch';
import { example } from './example-files';
import { askWithoutPause, makeSite } from './site';

const PUSHES = 12;

/** In each other list alice may send from another network; what lies around her is the same, and more than a page or two. */
function writeList(path: string, number: number): void {
  const crowd = Array.from({ length: 5000 }, (_, i) => ({
    name: `user${i}@example.com`,
    network: `10.${i >> 8}.${i & 255}.0/24`,
  }));
  writeDatabase(path, [...crowd, { name: 'alice', network: number % 2 === 0 ? '192.0.2.0/24' : '198.51.100.0/24' }]);
}

/** The crowd is the same in each list; of alice one of two answers is right. */
function question(asked: number): readonly [string, string, readonly string[]] {
  const number = asked % 5000;
  const user = `user${number}@example.com`;
  if (asked % 3 === 0) return ['alice', '192.0.2.9', ['dunno', 'reject']];
  return asked % 3 === 1 ? [user, '203.0.113.9', ['reject']] : [user, `10.${number >> 8}.${number & 255}.9`, ['dunno']];
}

describe('push.sh of the examples', needs('root', 'rsync', 'sqlite3'), () => {
  test('to two servers', async () => {
    const site = makeSite();
    writeList(site.db, 0);
    const flows = [askWithoutPause(site, question), askWithoutPause(site, question)];
    const list = join(site.folder, 'list.db');
    const other = makeFolder();
    const script = example('push.sh', {
      '/var/lib/allow-nets/push.db': join(site.folder, 'push.db'),
      'sqlite3 /var/lib/allow-nets/access.db': `sqlite3 ${list}`,
      '"$server:/var/lib/allow-nets/access.db"': '$server/access.db',
      'mx1.example.com mx2.example.com': `${site.folder} ${other}`,
    });
    for (let number = 1; number <= PUSHES; number++) {
      writeList(list, number);
      const { ino } = statSync(site.db);
      // It must not hold up this process, which goes on asking.
      await promisify(execFile)('sh', ['-c', script], { cwd: site.folder });
      assert.notEqual(statSync(site.db).ino, ino, 'the file that is there is not written into');
      const answers = [await site.answer('alice', '192.0.2.9'), await site.answer('alice', '198.51.100.9')];
      assert.deepEqual(answers, number % 2 === 0 ? ['dunno', 'reject'] : ['reject', 'dunno'], `push ${number}`);
    }
    const { mode, gid } = statSync(join(other, 'access.db'));
    assert.deepEqual([mode & 0o777, gid], [0o640, groupId('nogroup')]);
    for (const end of flows) {
      const { asked, wrong } = await end();
      assert.deepEqual(wrong, []);
      assert.ok(asked > PUSHES, `asked only ${asked} times`);
    }
    assert.deepEqual(site.log(), []);
  });
});
