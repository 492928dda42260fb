// examples/dovecot at work: logins to a real Dovecot, whose passdbs ask our database.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { change } from '../rig/database';
import { examples, isOld, type Login, onePassword } from './imap-server';
import { type Site, startSite } from './site';

const LOGGED_IN = /^OK /;
const REFUSED = /^NO \[AUTHENTICATIONFAILED\]/;

type Case = readonly [user: string, from: string, expected: RegExp];

/** Each case with the right password, and with a wrong one. */
async function tryAll({ server }: Site, method: Login['method'], cases: readonly Case[]): Promise<void> {
  const trials = cases.flatMap(([user, from, expected]) => [
    { login: { user, from, method }, expected },
    { login: { user, from, method, password: 'wrong' }, expected: REFUSED },
  ]);
  const answers = await Promise.all(trials.map(({ login }) => server.login(login)));
  for (const [i, { login, expected }] of trials.entries()) {
    assert.match(answers[i] as string, expected, JSON.stringify(login));
  }
}

describe('a passdb ahead of the others', needs('root', 'dovecot', 'imap-login', 'libdriver_sqlite.so'), () => {
  let site: Site;
  const login = (login: Login) => site.server.login(login);

  before(async () => {
    // What reads the file is no longer root.
    const user = isOld() ? '$default_internal_user' : '$SET:default_internal_user';
    const worker = `service auth-worker {\n  user = ${user}\n  extra_groups = nogroup\n}\nauth_cache_size = 10M\n`;
    site = await startSite('allow-nets', onePassword('secret') + worker);
    site.allowNets('set', 'add', 'office', '127.0.2.0/24');
    site.allowNets('add', 'alice@example.com', '127.0.0.2', '@office');
    site.allowNets('add', '@example.com', '127.0.1.0/24');
    site.allowNets('add', 'bob', '127.0.0.3');
    site.allowNets('add', 'dave', '127.0.0.4', '--for', '1h');
    change(site.db, "update access set expires = '2026-01-01T00:00:00Z' where expires is not null");
    site.allowNets('add', 'eve', 'any');
    site.allowNets('block', 'eve');
  });
  after(() => site?.remove());

  for (const method of ['PLAIN', 'CRAM-MD5'] as const) {
    test(`lets in from where check allows, and by the right password alone: ${method}`, async () => {
      await tryAll(site, method, [
        ['alice@example.com', '127.0.0.2', LOGGED_IN],
        ['Alice@Example.com', '127.0.0.2', LOGGED_IN],
        ['alice@example.com', '127.0.2.9', LOGGED_IN],
        ['alice@example.com', '127.0.1.9', REFUSED],
        ['carol@example.com', '127.0.1.9', LOGGED_IN],
        ['carol@example.com', '127.0.0.2', REFUSED],
        ['bob', '127.0.0.3', LOGGED_IN],
        ['bob', '127.0.0.2', REFUSED],
        ['bob@example.com', '127.0.0.3', LOGGED_IN],
        ['dave', '127.0.0.4', REFUSED],
        ['eve', '127.0.0.4', REFUSED],
        ['unknown', '127.0.0.2', REFUSED],
      ]);
    });
  }

  test('what a change takes away counts at once', async () => {
    const frank = { user: 'frank', from: '127.0.0.5' };
    site.allowNets('add', 'frank', '127.0.0.5');
    assert.match(await login(frank), LOGGED_IN);
    assert.match(await login(frank), LOGGED_IN);
    site.allowNets('block', 'frank');
    assert.match(await login(frank), REFUSED);
  });

  test('a refusal that Dovecot 2.3 has cached goes with doveadm auth cache flush', async () => {
    const grace = { user: 'grace', from: '127.0.0.6' };
    assert.match(await login(grace), REFUSED);
    site.allowNets('add', 'grace', '127.0.0.6');
    assert.match(await login(grace), isOld() ? REFUSED : LOGGED_IN);
    assert.equal(site.server.doveadm('auth', 'cache', 'flush', 'grace').status, 0);
    assert.match(await login(grace), LOGGED_IN);
  });

  test('a lookup without an address, as of LMTP, finds users that may log in from nowhere', () => {
    assert.equal(site.server.doveadm('user', 'dave').status, 0);
  });

  test('odd names get in nowhere', async () => {
    const names = ["'", "' or '1'='1", "x') or 1=1 --", '"', '\\', '\\u0000', '%u', '%{user}', '%', '*', '@', '@@'];
    const more = [
      'a@b@example.net',
      '[a-z]',
      '?ob',
      'b_b',
      'ALIC\u0130',
      '\u212Aim',
      'b\u0301ob',
      '\ufffd',
      'bob\t',
      ' bob',
    ];
    const bytes = [Buffer.from([0xff]), Buffer.from([0x62, 0x6f, 0x62, 0x80])];
    const users = [...names, ...more, ...bytes];
    const answers = await Promise.all(users.map((user) => login({ user, from: '127.0.0.3' })));
    for (const [i, answer] of answers.entries()) assert.match(answer, /^NO /, `${users[i]}`);
  });

  test('a query that fails is a temporary error, and the file stays as it is', async () => {
    const { mode, gid } = statSync(site.db);
    change(site.db, 'drop view dovecot');
    assert.match(await login({ user: 'bob', from: '127.0.0.3' }), /^NO \[UNAVAILABLE\]/);
    site.allowNets('init');
    assert.match(await login({ user: 'bob', from: '127.0.0.3' }), LOGGED_IN);
    assert.deepEqual(readdirSync(dirname(site.db)), ['access.db']);
    assert.deepEqual([statSync(site.db).mode, statSync(site.db).gid], [mode, gid]);
  });
});

describe('exceptions', needs('root', 'dovecot', 'imap-login', 'libdriver_sqlite.so'), () => {
  let site: Site;
  before(async () => {
    site = await startSite('allow-nets', onePassword('secret'), true);
    site.allowNets('add', 'bob', '127.0.0.3');
  });
  after(() => site?.remove());

  test('clients on this host, and SMTP', async () => {
    await tryAll(site, 'PLAIN', [
      ['bob', '127.0.0.1', LOGGED_IN],
      ['bob', '127.0.0.3', LOGGED_IN],
      ['bob', '127.0.0.2', REFUSED],
    ]);
    const doveadm = (service: string, password: string) =>
      site.server.doveadm('auth', 'test', '-x', `service=${service}`, '-x', 'rip=192.0.2.1', 'bob', password).status;
    assert.equal(doveadm('smtp', 'secret'), 0);
    assert.notEqual(doveadm('smtp', 'wrong'), 0);
    assert.notEqual(doveadm('pop3', 'secret'), 0);
  });
});

describe(
  'a passdb with accounts in the same file',
  needs('root', 'dovecot', 'imap-login', 'libdriver_sqlite.so'),
  () => {
    let site: Site;
    before(async () => {
      site = await startSite('accounts', '');
      const [, table] = /(create table .*\))$/m.exec(
        readFileSync(join(examples(), isOld() ? 'accounts-sql.conf.ext' : 'auth-accounts.conf.ext'), 'utf8'),
      ) as unknown as [string, string];
      change(site.db, `${table}; insert into account values ('bob', '{PLAIN}secret'), ('carol', '{PLAIN}secret')`);
      site.allowNets('add', 'bob', '127.0.0.3');
      site.allowNets('add', 'mallory', 'any');
    });
    after(() => site?.remove());

    for (const method of ['PLAIN', 'CRAM-MD5'] as const) {
      test(`asks for the password and the network at once: ${method}`, async () => {
        for (const [user, from, expected] of [
          ['bob', '127.0.0.3', LOGGED_IN],
          ['BOB', '127.0.0.3', LOGGED_IN],
          ['bob', '127.0.0.2', REFUSED],
          ['carol', '127.0.0.3', REFUSED],
          ['mallory', '127.0.0.3', REFUSED],
        ] as const) {
          assert.match(await site.server.login({ user, from, method }), expected, `${user} from ${from}`);
          assert.match(
            await site.server.login({ user, from, method, password: 'wrong' }),
            REFUSED,
            `${user} from ${from}`,
          );
        }
      });
    }
  },
);
