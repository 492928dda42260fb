// Every command's error cases: what is wrong and what to do next, the exit status, nothing on standard output, nothing changed.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { after, before, test } from 'node:test';
import { writeDatabase } from '../rig/database';
import { run } from '../rig/run';
import { newPath } from '../rig/scratch';

const db = newPath();
let bytes: Buffer;

before(() => {
  writeDatabase(db, [
    { name: 'alice', network: '10.0.0.0/8' },
    { name: 'alice', network: '@office' },
    { name: 'bob@example.com', network: '192.0.2.1/32', expires: '2020-01-01T00:00:00Z' },
    { name: 'carol', network: '@office' },
    { table: 'network_set', name: 'another', network: '203.0.113.0/24' },
    { table: 'network_set', name: 'office', network: '203.0.113.0/24' },
    { table: 'network_set', name: 'office', network: '2001:db8:1::/48' },
  ]);
  bytes = fs.readFileSync(db);
});
after(() => assert.ok(bytes.equals(fs.readFileSync(db)), 'a refused command changed the database'));

const A_USER = 'a user is a SASL user name as Postfix logs it, @example.com for a domain, or * for everybody';
const A_NETWORK = 'a network is 192.0.2.0/24, 2001:db8::/32, any or @SET';

const DOMAIN = (name: string) => `did you mean @${name}? To add a login of that name all the same add --force`;

const COMMANDS = 'allow-nets --help lists the commands';
const SET_COMMANDS = 'allow-nets set --help lists the commands';
const USAGE = (line: string) => `allow-nets ${line}; allow-nets ${line.replace(/ [[A-Z].*/, '')} --help explains it`;
const missing = (got: number, needed: number) => `arguments are missing: got ${got}, need at least ${needed}`;
const REMOVE = 'allow-nets remove USER NETWORK, or allow-nets remove USER --all';
const SET_REMOVE = 'allow-nets set remove NAME NETWORK, or allow-nets set remove NAME --all';
const REMOVE_NEEDS = 'remove requires a user with networks or with --all, or --expired';

type Case = [words: string[], status: 1 | 2, problem: string, hint: string];

// biome-ignore format: a case a line
const CASES: Record<string, Case[]> = {
  'the command line': [
    [['del', 'alice'], 2, 'unknown command or argument: del, alice', COMMANDS],
    [['set'], 2, 'set requires a command', SET_COMMANDS],
    [['set', 'ad', 'x'], 2, 'unknown command or argument: ad, x', SET_COMMANDS],
    [['list', '--jsn'], 2, 'unknown option --jsn', USAGE('list [USER]')],
    [['list', '--db', db, 'alice', '--', '--x'], 2, 'unknown command or argument: --x', USAGE('list [USER]')],
    [['list', 'alice', 'bob', 'carol'], 2, 'unknown command or argument: bob, carol', USAGE('list [USER]')],
    [['list', '--db'], 2, '--db requires a value', USAGE('list [USER]')],
  ],
  add: [
    [['add', 'alice'], 2, missing(1, 2), USAGE('add USER NETWORK...')],
    [['add', 'alice', '10.1.2.3/8'], 2, '10.1.2.3/8 is not the first address of its network', '10.0.0.0/8 or 10.1.2.3/32'],
    [['add', 'alice', '10.1.2.0/255.255.255.0'], 2, '10.1.2.0/255.255.255.0 is not a network', 'did you mean 10.1.2.0/24'],
    [['add', 'alice', '10.1.2.*'], 2, '10.1.2.* is not a network', 'did you mean 10.1.2.0/24'],
    [['add', 'alice', '10.0.0.1-10.0.0.3'], 2, '10.0.0.1-10.0.0.3 is a range, not a network', 'its networks are 10.0.0.1/32,10.0.0.2/31'],
    [['add', 'alice', '[2001:db8::1]'], 2, '[2001:db8::1] is not a network', 'did you mean 2001:db8::1/128'],
    [['add', 'alice', '10.0.0.0/33'], 2, '10.0.0.0/33 is not a network', A_NETWORK],
    [['add', 'alice', '10.0.0.0/8\u200b'], 2, 'the network holds the invisible character U+200B', 'it comes with text copied from a web page or a mail: type the network again'],
    [['add', '*@example.com', '10.0.0.1'], 2, 'no user is called *@example.com', 'did you mean @example.com'],
    [['add', '@*.example.com', '10.0.0.1'], 2, '@*.example.com matches nobody: each domain needs an entry of its own', 'did you mean @example.com'],
    [['add', '.example.com', '10.0.0.1'], 2, '.example.com matches nobody: each domain needs an entry of its own', 'did you mean @example.com'],
    [['add', 'bob@*', '10.0.0.1'], 2, 'bob@* matches nobody: * stands alone, for everybody', 'did you mean bob'],
    [['add', 'bob@', '10.0.0.1'], 2, 'bob@ has no domain behind the @', 'did you mean bob'],
    [['add', 'bob@example.com ', '10.0.0.1'], 2, 'the user "bob@example.com " begins or ends with a space', 'did you mean bob@example.com'],
    [['add', 'example.org', '10.0.0.1'], 2, 'example.org looks like a domain, and no user logs in by it', DOMAIN('example.org')],
    [['block', 'mail.example.org'], 2, 'mail.example.org looks like a domain, and no user logs in by it', DOMAIN('mail.example.org')],
    [['add', '*', 'inherit'], 2, 'nothing is wider than *, so it cannot inherit', "allow-nets add '*' NETWORK"],
    // What is good before it is not added either.
    [['add', 'alice', '192.0.2.0/24', 'office'], 2, 'office is not a network', A_NETWORK],
    [['add', 'alice', '@offise'], 1, 'there is no set offise', `the sets are another, office; to make it: allow-nets set add offise NETWORK --db ${db}`],
    [['add', '', '10.0.0.1'], 2, 'the user is empty', A_USER],
    [['add', '@', '10.0.0.1'], 2, '@ is not a user', A_USER],
    [['add', 'a\tb', '10.0.0.1'], 2, 'the user "a\\tb" holds a control character', A_USER],
    [['add', '10.0.0.0/8', 'alice'], 2, 'the user 10.0.0.0/8 is a network', 'the user comes first; for a list of networks only: allow-nets set load NAME FILE'],
    [['add', '2001:db8::1', 'alice'], 2, 'the user 2001:db8::1 is a network', 'the user comes first; for a list of networks only: allow-nets set load NAME FILE'],
    [['add', 'alice', '10.0.0.1', '--for', '7'], 2, '--for 7 is not a length of time', '--for 7d, --for 12h or --for 30m'],
    [['add', 'alice', '10.0.0.1', '--for', '0d'], 2, '--for 0d is not a length of time', '--for 7d, --for 12h or --for 30m'],
    [['add', 'alice', '10.0.0.1', '--for', '7d', '--until', '2099-01-01'], 2, '--until and --for exclude each other', 'give one of them'],
    [['add', 'alice', '10.0.0.1', '--until', '24.12.2026'], 2, '--until 24.12.2026 is not a date or time', '--until 2026-12-24, or --until 2026-12-24T18:00Z'],
    [['add', 'alice', '10.0.0.1', '--until', '2020-01-01'], 2, '--until 2020-01-01 is in the past', 'give a time to come'],
  ],
  block: [
    [['block', '*'], 1, '* is everybody: all users without entries of their own would be refused', `to block them all the same: allow-nets block '*' --force --db ${db}`],
    [['unblock', 'alice'], 1, 'alice is not blocked', 'allow-nets list marks who is blocked; allow-nets check USER ADDRESS says which entries decide'],
  ],
  remove: [
    [['remove', 'alice'], 2, REMOVE_NEEDS, REMOVE],
    [['remove'], 2, REMOVE_NEEDS, REMOVE],
    [['remove', 'alice', '10.0.0.0/8', '--all'], 2, REMOVE_NEEDS, REMOVE],
    [['remove', 'dora', '--all'], 1, 'dora has no entry', 'allow-nets list shows who has'],
    [['remove', 'alice', '10.0.0.0/9'], 1, 'alice has no entry 10.0.0.0/9', 'it has 10.0.0.0/8, @office'],
    // What is there stays when one of several is not.
    [['remove', 'alice', '10.0.0.0/8', '10.0.0.0/9'], 1, 'alice has no entry 10.0.0.0/9', 'it has 10.0.0.0/8, @office'],
  ],
  list: [
    [['list', 'dora'], 1, 'no entry applies to dora, so it is refused from everywhere', `to allow it: allow-nets add dora NETWORK --db ${db}`],
    [['list', 'help'], 1, 'no entry applies to help, so it is refused from everywhere', `to allow it: allow-nets add help NETWORK --db ${db}`],
  ],
  check: [
    [['check', 'alice', '10.0.0.1', '--at', 'soon'], 2, '--at soon is not a date or time', '--at 2026-12-24, or --at 2026-12-24T18:00Z'],
  ],
  'the path of the database': [
    [['init', '--db', '/dev/null/sub/x.db'], 1, '/dev/null is not a folder', 'choose another place with --db FILE'],
    [['add', 'alice', '10.0.0.0/8', '--db', `${db}/x.db`], 1, `${db} is not a folder`, 'choose another place with --db FILE'],
  ],
  set: [
    [['set', 'add', 'my office', '10.0.0.0/8'], 2, '"my office" cannot name a set', 'a name without spaces, @, /, comma or quotes: office'],
    [['set', 'add', 'hotel', '@office'], 2, 'a set cannot hold @office', 'give its networks'],
    [['set', 'add', 'hotel', 'none'], 2, 'a set cannot hold none', 'give its networks'],
    [['set', 'remove', 'office'], 2, 'set remove requires either networks or --all', SET_REMOVE],
    [['set', 'remove', 'office', 'any', '--all'], 2, 'set remove requires either networks or --all', SET_REMOVE],
    [['set', 'remove', 'ofice', '--all'], 1, 'there is no set ofice', 'the sets are another, office'],
    [['set', 'remove', 'office', '10.0.0.1'], 1, '@office has no entry 10.0.0.1', 'it has 2001:db8:1::/48, 203.0.113.0/24'],
    [['set', 'remove', 'office', '--all'], 1, 'the set office is in use by alice, carol', 'remove @office from them first, or add --force: their entries @office then grant nothing'],
    [['set', 'remove', '@Office', '203.0.113.0/24', '2001:db8:1::/48'], 1, 'the set office is in use by alice, carol', 'remove @office from them first, or add --force: their entries @office then grant nothing'],
  ],
  export: [[['export', '--format', 'xml'], 2, 'wrong value: --format "xml" is not one of "csv", "tsv", "json"', USAGE('export')]],
  completion: [[['completion', 'fish'], 2, 'there is no completion for fish', 'bash or zsh']],
  import: [
    [['import'], 2, missing(0, 1), USAGE('import FILE')],
    [['import', '/no/such.csv'], 1, 'there is no file /no/such.csv', 'name a file to read, or - for standard input'],
    [['import', '/etc'], 1, '/etc is a folder', 'name a file to read, or - for standard input'],
  ],
};

for (const [name, cases] of Object.entries(CASES)) {
  test(name, async (t) => {
    for (const [words, status, problem, hint] of cases) {
      await t.test(words.join(' '), () => {
        assert.deepEqual(run(words.includes('--db') ? words : [...words, '--db', db]), {
          status,
          stdout: '',
          stderr: `allow-nets: error: ${problem}\nallow-nets: hint: ${status === 1 ? hint.replace(/: (?=allow-nets \w+ )/, ':\n  ') : hint}\n`,
        });
      });
    }
  });
}
