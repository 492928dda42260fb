// refused at the command line: who was refused, whether they still are, and the command that lets them in.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { newDatabase } from '../rig/database';
import { run, shell } from '../rig/run';
import { newFile, newPath } from '../rig/scratch';

const HEAD = 'mx1 postfix/allow-nets[77]: ';
const at = (clock: string, pairs: string, head = HEAD) => `2026-11-04T${clock}Z ${head}${pairs}\n`;
const refusal = (user: string, address: string, more = 'subject= entry= reason=no-entry') =>
  `verdict=reject user=${user} address=${address} ${more}`;
/** What the program logs of what the client is. */
const CLIENT = 'subject= entry= reason=no-entry client_name=hotel.example helo_name=[10.0.0.7] queue_id=4BDF1C';

const LOG =
  at('05:00:00', refusal('bob', '198.51.100.7')) +
  at('05:10:00', refusal('alice@example.com', '203.0.113.9', 'subject=alice@example.com entry= reason=not-covered')) +
  at('05:11:00', refusal('alice@example.com', '203.0.113.9', CLIENT)) +
  at('05:20:00', refusal('alice@example.com', '2001:db8:1:2::7', CLIENT)) +
  at('05:20:01', refusal('Alice@Example.com', '2001:db8:1:2:3::8', CLIENT)) +
  // The request of allow-nets doctor.
  at('05:21:00', refusal('doctor@allow-nets.invalid', '192.0.2.1'));

/** Bob is allowed by now. */
const prepared = () =>
  newDatabase([
    { name: 'bob', network: '198.51.100.0/24' },
    { name: 'alice@example.com', network: '192.0.2.0/24' },
  ]);

const ask = (db: string, log: string, ...words: string[]) => run(['refused', ...words, newFile(log)], { db });

test('one line for each user and network, and the command for the most recent', () => {
  assert.deepEqual(ask(prepared(), LOG), {
    status: 0,
    stdout: `\
USER               NETWORK            REFUSALS  FIRST                 LAST                  REASON    NOW
bob                198.51.100.7/32           1  2026-11-04T05:00:00Z  2026-11-04T05:00:00Z  no-entry  allowed
alice@example.com  203.0.113.9/32            2  2026-11-04T05:10:00Z  2026-11-04T05:11:00Z  no-entry  refused
alice@example.com  2001:db8:1:2::/64         2  2026-11-04T05:20:00Z  2026-11-04T05:20:01Z  no-entry  refused
`,
    stderr: `\
allow-nets: hint: if that is really alice@example.com, this lets the user in:
allow-nets add alice@example.com 2001:db8:1:2::/64 --for 3d
`,
  });
});

test('of refusals within one second, the last in the log is the most recent', () => {
  const lines = ['u1 203.0.113.1', 'u2 203.0.113.2', 'u3 203.0.113.3', 'u1 203.0.113.1'].map((line) => line.split(' '));
  const log = lines.map(([user = '', address = '']) => at('05:00:05', refusal(user, address))).join('');
  const { stdout, stderr } = ask(newDatabase(), log);
  assert.deepEqual(stdout.match(/^u\d/gm), ['u2', 'u3', 'u1']);
  assert.match(stderr, /^allow-nets add u1 203\.0\.113\.1 --for 3d$/m);
});

test('the reason is that of the latest refusal, also where the older log is read later', () => {
  const logs = ['2026-11-04 not-covered bob', '2026-11-03 no-entry Bob'].map((words) => {
    const [day = '', reason, user = ''] = words.split(' ');
    return newFile(at('05:00:00', refusal(user, '203.0.113.1', `reason=${reason}`)).replace('2026-11-04', day));
  });
  const { stdout } = run(['refused', '--json', ...logs], { db: newDatabase() });
  assert.deepEqual(
    JSON.parse(stdout).map(({ refusals, last, reason }: Record<string, unknown>) => [refusals, last, reason]),
    [[2, '2026-11-04T05:00:00Z', 'not-covered']],
  );
});

test('as JSON', () => {
  const { status, stdout, stderr } = ask(prepared(), LOG, '--json', '--until', '2026-11-04T05:15Z');
  const first = '2026-11-04T05:00:00Z';
  const second = '2026-11-04T05:10:00Z';
  const third = '2026-11-04T05:11:00Z';
  const command = 'allow-nets add alice@example.com 203.0.113.9 --for 3d';
  // biome-ignore format: a table
  assert.deepEqual(JSON.parse(stdout), [
    { user: 'bob', network: '198.51.100.7/32', refusals: 1, first, last: first, reason: 'no-entry', allowed_now: true, command: null },
    { user: 'alice@example.com', network: '203.0.113.9/32', refusals: 2, first: second, last: third, reason: 'no-entry', allowed_now: false, command },
  ]);
  assert.deepEqual([status, stderr], [0, '']);
});

test('the printed command works as it stands, whatever the user name is', async (t) => {
  const names = ["o'hara && rm -rf /", 'a b, and $(c)', 'Dörte@exämple.org', '"', '\\', '%s {user}', '~', 'x --only'];
  for (const name of names) {
    await t.test(name, () => {
      const db = newDatabase();
      const quoted = JSON.stringify(name).replace('\u00f6', '\\u00f6').replace('\u00e4', '\\u00e4');
      const log = newFile(at('05:00:00', refusal(quoted, '203.0.113.9')));
      const rows = () => JSON.parse(run(['refused', '--json', log, '--db', db]).stdout);
      const [{ command }] = rows();
      assert.ok(command.endsWith(` --for 3d --db ${db}`), command);
      assert.deepEqual([shell(command).status, run(['check', name, '203.0.113.9', '--db', db]).status], [0, 0]);
      const [{ allowed_now, command: none }] = rows();
      assert.deepEqual([allowed_now, none], [true, null]);
    });
  }
});

test('no command if it would not let that user in, or would let in others', async (t) => {
  const from = ['203.0.113.9', '203.0.113.9/32'] as const;
  // biome-ignore format: a table
  const rows: [user: string, address: string, network: string | null][] = [
    ['bob', 'unknown', null], ['bob', '""', null], ['a;b', ...from], ['*', ...from], ['@example.com', ...from],
    ['"a\\u0007"', ...from], ['"a\\u202e"', ...from],
  ];
  for (const [user, address, network] of rows) {
    await t.test(`${user} ${address}`, () => {
      const log = at('05:00:00', refusal(user, address));
      const [row, ...more] = JSON.parse(ask(newDatabase(), log, '--json').stdout);
      assert.deepEqual([row.network, row.command, row.allowed_now, more], [network, null, false, []]);
      assert.equal(ask(newDatabase(), log).stderr, '');
    });
  }
});

test('a user who is blocked, and one of a domain that is', () => {
  for (const name of ['eve@example.com', '@example.com']) {
    const db = newDatabase([{ name, network: 'none' }]);
    const log = at('05:00:00', refusal('eve@example.com', '203.0.113.9', 'reason=blocked'));
    const hint = `allow-nets: hint: ${name} is blocked; to unblock: allow-nets unblock ${name}\n`;
    assert.equal(ask(db, log).stderr, hint);
    assert.equal(JSON.parse(ask(db, log, '--json').stdout)[0].command, null);
  }
});

test('a user refused in many networks: a stolen password', () => {
  const log =
    Array.from({ length: 5 }, (_, i) => at(`05:0${i}:00`, refusal('eve', `10.${i}.0.1`))).join('') +
    at('04:00:00', refusal('bob', '203.0.113.9'));
  const { stderr } = ask(newDatabase(), log);
  assert.match(
    stderr,
    /^allow-nets: hint: eve was refused in many networks within 24 hours: a stolen password\? .*\n$/,
  );
  const commands = JSON.parse(ask(newDatabase(), log, '--json').stdout).map((row: { command: string }) => row.command);
  assert.deepEqual(commands, ['allow-nets add bob 203.0.113.9 --for 3d', null, null, null, null, null]);
});

test('repeated lines count, and lines that cannot be read are reported', () => {
  const repeated = at('05:00:00', `message repeated 3 times: [ ${refusal('alice', '::1')}]`);
  const cut = at('05:00:00', 'verdict=reject user="bo');
  const { stdout, stderr, status } = ask(newDatabase(), repeated + cut, '--json');
  assert.deepEqual([status, JSON.parse(stdout)[0].refusals], [0, 3]);
  assert.match(stderr, /: 1 line not understood, for example: 2026-11-04T05:00:00Z mx1 .*user="bo\n/);
});

test('--since and --user say which', () => {
  const count = (...words: string[]) => {
    const rows: { user: string; refusals: number }[] = JSON.parse(ask(prepared(), LOG, '--json', ...words).stdout);
    return rows.map(({ user, refusals }) => `${user} ${refusals}`).join();
  };
  assert.equal(count('--user', 'BOB'), 'bob 1');
  assert.equal(count('--user', '@example.com'), 'alice@example.com 2,alice@example.com 2');
  assert.equal(count('--since', '2026-11-04T05:20:01Z'), 'alice@example.com 1');
});

const HERE = ['/var/log/mail.log', '/var/log/maillog', '/var/log/mail'].some((name) => existsSync(name));

test('without FILE and without a mail log', { skip: HERE && 'this machine has a mail log' }, () => {
  for (const command of ['refused', 'learn', 'replay']) {
    const { status, stderr } = run([command, '--db', newDatabase()], { env: { MAIL_CONFIG: '/nowhere' } });
    assert.equal(status, 1);
    assert.match(stderr, /^allow-nets: error: there is no mail log: maillog_file names no file, and there is no /);
    assert.ok(stderr.endsWith(`hint: journalctl -u 'postfix*' | allow-nets ${command} -\n`), stderr);
  }
});

test('nothing found, and no database', () => {
  assert.equal(ask(newDatabase(), '', '--json').stdout, '[]\n');
  const { status, stdout, stderr } = ask(newDatabase(), '');
  assert.deepEqual([status, stdout], [0, '']);
  assert.match(stderr, /^allow-nets: hint: no refusal was found/);
  const without = ask(newPath(), LOG);
  assert.deepEqual([without.status, without.stdout], [1, '']);
  assert.match(without.stderr, /^allow-nets: error: there is no database /);
});
