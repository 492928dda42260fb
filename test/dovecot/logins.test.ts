// examples/dovecot at work: logins to a real Dovecot, and SMTP AUTH through it, whose passdbs ask our database.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { change } from '../rig/database';
import { isDovecot23 } from '../rig/dovecot';
import { askPolicy, describeWithPostfix } from '../rig/policy-set-up';
import { newFile } from '../rig/scratch';
import { SmtpClient } from '../rig/smtp-client';
import { examplePassdb, examples, type Login, MailStore, onePassword } from './server';

const IN = 'OK';
const REFUSED = 'NO [AUTHENTICATIONFAILED]';
const needed = needs('root', 'dovecot', 'imap-login', 'pop3-login', 'managesieve-login', 'lmtp', 'libdriver_sqlite.so');
const OLD = !needed.skip && isDovecot23();

/** The answer to a login without its explanation. */
async function outcome(store: MailStore, login: Login): Promise<string> {
  const answer = await store.login(login);
  return /^OK|^NO \[\w+\]/.exec(answer)?.[0] ?? answer;
}

/** Each case with the right password; and with a wrong one, which is always refused. */
async function checkAll(
  store: MailStore,
  mechanism: 'PLAIN' | 'CRAM-MD5',
  cases: readonly (readonly [user: string, from: string, answer: string])[],
): Promise<void> {
  for (const password of ['secret', 'wrong']) {
    const answers = await Promise.all(cases.map(([user, from]) => outcome(store, { user, from, password, mechanism })));
    const expected = cases.map(([user, from, answer]) => [user, from, password === 'secret' ? answer : REFUSED]);
    assert.deepEqual(
      cases.map(([user, from], i) => [user, from, answers[i]]),
      expected,
      password,
    );
  }
}

describe('a passdb ahead of the others', needed, () => {
  let store: MailStore;

  before(async () => {
    // What reads the file is no longer root.
    const user = OLD ? '$default_internal_user' : '$SET:default_internal_user';
    const worker = `service auth-worker {\n  user = ${user}\n  extra_groups = nogroup\n}\nauth_cache_size = 10M\n`;
    store = await MailStore.start('allow-nets', onePassword() + worker);
    store.allowNets('set', 'add', 'office', '127.0.2.0/24');
    store.allowNets('add', 'alice@example.com', '127.0.0.2', '@office');
    store.allowNets('add', '@example.com', '127.0.1.0/24');
    store.allowNets('add', 'bob', '127.0.0.3');
    store.allowNets('add', 'dave', '127.0.0.4', '--for', '1h');
    change(store.db, "update access set expires = '2026-01-01T00:00:00Z' where expires is not null");
    store.allowNets('add', 'eve', 'any');
    store.allowNets('block', 'eve');
  });
  after(() => store?.remove());

  // CRAM-MD5 stands for all that look a password up in their own way.
  for (const mechanism of ['PLAIN', 'CRAM-MD5'] as const) {
    test(`lets users in from where check allows, and only with the right password: ${mechanism}`, () =>
      checkAll(store, mechanism, [
        ['alice@example.com', '127.0.0.2', IN],
        ['Alice@Example.com', '127.0.0.2', IN],
        ['alice@example.com', '127.0.2.9', IN],
        ['alice@example.com', '127.0.1.9', REFUSED],
        ['carol@example.com', '127.0.1.9', IN],
        ['carol@example.com', '127.0.0.2', REFUSED],
        ['bob', '127.0.0.3', IN],
        ['bob', '127.0.0.2', REFUSED],
        ['bob@example.com', '127.0.0.3', IN],
        ['dave', '127.0.0.4', REFUSED],
        ['eve', '127.0.0.4', REFUSED],
        ['unknown', '127.0.0.2', REFUSED],
      ]));
  }

  test('POP3 and ManageSieve too; LMTP delivers to users who may log in from nowhere', async () => {
    for (const [from, password, ...answers] of [
      ['127.0.0.3', 'secret', '+OK', 'OK'],
      ['127.0.0.3', 'wrong', '-ERR', 'NO'],
      ['127.0.0.2', 'secret', '-ERR', 'NO'],
    ] as const) {
      const login = { user: 'bob', from, password };
      assert.deepEqual([await store.loginBy('pop3', login), await store.loginBy('sieve', login)], answers);
    }
    assert.equal(await store.deliver('dave'), '250 2.0.0');
  });

  test('a removed entry counts at once; a refusal that Dovecot 2.3 has cached ends with a flush', async () => {
    const frank = { user: 'frank', from: '127.0.0.5' };
    assert.equal(await outcome(store, frank), REFUSED);
    store.allowNets('add', 'frank', '127.0.0.5');
    assert.equal(await outcome(store, frank), OLD ? REFUSED : IN);
    assert.equal(store.dovecot.doveadm('auth', 'cache', 'flush', 'frank').status, 0);
    assert.equal(await outcome(store, frank), IN);
    assert.equal(await outcome(store, frank), IN);
    store.allowNets('block', 'frank');
    assert.equal(await outcome(store, frank), REFUSED);
  });

  test('unusual names are allowed from nowhere', async () => {
    // biome-ignore format: a list of words
    const users = [
      "'", "' or '1'='1", "x') or 1=1 --", '"', '\\', '\\u0000', '%u', '%{user}', '%', '*', '@', '@@', 'a@b@example.net', '[a-z]', '?ob',
      'b_b', 'ALIC\u0130', '\u212Aim', 'b\u0301ob', '\ufffd', 'bob\t', ' bob', Buffer.from([0xff]), Buffer.from([0x62, 0x6f, 0x62, 0x80]),
    ];
    const answers = await Promise.all(users.map((user) => store.login({ user, from: '127.0.0.3' })));
    for (const [i, answer] of answers.entries()) assert.match(answer, /^NO /, `${users[i]}`);
  });

  test('a query that fails is a temporary error, and the file stays as it is', async () => {
    const bob = { user: 'bob', from: '127.0.0.3' };
    const { mode, gid } = statSync(store.db);
    change(store.db, 'drop view dovecot');
    assert.equal(await outcome(store, bob), 'NO [UNAVAILABLE]');
    assert.match(store.allowNets('init'), /already exists/);
    assert.equal(await outcome(store, bob), IN);
    assert.deepEqual(readdirSync(dirname(store.db)), ['access.db']);
    assert.deepEqual([statSync(store.db).mode, statSync(store.db).gid], [mode, gid]);
  });
});

test('OAuth 2: a valid token counts only from the networks of the list', needed, async (t) => {
  const provider = createServer(({ url }, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(url?.endsWith('=secret') ? '{"email":"bob"}' : '{"error":"invalid_token"}');
  });
  t.after(() => provider.close());
  await once(provider.listen(0, '127.0.0.1'), 'listening');
  const { port } = provider.address() as AddressInfo;
  const settings = `introspection_mode = get\nintrospection_url = http://127.0.0.1:${port}/?token=\nusername_attribute = email\n`;
  const oauth2 = OLD
    ? `passdb {\n  driver = oauth2\n  mechanisms = xoauth2\n  args = ${newFile(settings)}\n}\n`
    : `oauth2 {\n${settings}}\n`;
  const store = await MailStore.start('allow-nets', `${oauth2}${onePassword()}auth_mechanisms = plain xoauth2\n`);
  t.after(() => store.remove());
  store.allowNets('add', 'bob', '127.0.0.3');
  const login = (from: string, password: string) =>
    outcome(store, { user: 'bob', from, password, mechanism: 'XOAUTH2' });
  assert.deepEqual([await login('127.0.0.3', 'secret'), await login('127.0.0.2', 'secret')], [IN, REFUSED]);
  assert.match(await login('127.0.0.3', 'wrong'), /^NO /);
});

for (const [rule, elsewhere] of [
  ['result_success = continue', 'NO [AUTHORIZATIONFAILED]'],
  ['', IN],
] as const) {
  const limited = elsewhere === IN ? 'not limited' : "limited by the user's list";
  test(`master users are ${limited} with "${rule}"`, needed, async (t) => {
    const [name, password] = OLD
      ? ['', 'args = password=master']
      : ['master', 'passdb_static_password = {PLAIN}master'];
    const passdb = `passdb ${name} {\n  driver = static\n  ${password}\n  master = yes\n  ${rule}\n}\n`;
    const store = await MailStore.start('allow-nets', `${onePassword()}auth_master_user_separator = *\n${passdb}`);
    t.after(() => store.remove());
    store.allowNets('add', 'bob', '127.0.0.3');
    store.allowNets('add', 'admin', '127.0.0.4');
    const login = (from: string, password: string) => outcome(store, { user: 'bob*admin', from, password });
    assert.deepEqual([await login('127.0.0.3', 'master'), await login('127.0.0.4', 'master')], [IN, elsewhere]);
    assert.equal(await login('127.0.0.3', 'secret'), REFUSED);
  });
}

test('with the exceptions of the example, clients on this host log in whatever the list says', needed, async () => {
  const store = await MailStore.start('allow-nets', onePassword(), true);
  store.allowNets('add', 'bob', '127.0.0.3');
  await checkAll(store, 'PLAIN', [
    ['bob', '127.0.0.1', IN],
    ['bob', '127.0.0.3', IN],
    ['bob', '127.0.0.2', REFUSED],
  ]);
  store.remove();
});

for (const exceptions of [false, true]) {
  describeWithPostfix(
    `SMTP AUTH through Dovecot, ${exceptions ? 'with' : 'without'} the exception`,
    needs('root', 'postfix', 'dovecot', 'openssl', 'libdriver_sqlite.so'),
    (policy) => {
      policy.allowNets('add', 'alice', '127.0.0.7');
      return {
        users: { alice: 'secret' },
        passdbs: examplePassdb(policy.folder, policy.db, 'allow-nets', exceptions),
        listeners: { submission: [askPolicy('unix:private/allow-nets')] },
        services: [policy.service('allow-nets', '--persistent')],
      };
    },
    (suite) => {
      test('Dovecot is told the client of Postfix, also one that XCLIENT names', async () => {
        const replies: string[] = [];
        for (const [localAddress, address, password] of [
          ['127.0.0.7', null, 'secret'],
          ['127.0.0.8', null, 'secret'],
          ['127.0.0.8', '127.0.0.7', 'secret'],
          ['127.0.0.7', '127.0.0.8', 'secret'],
          ['127.0.0.7', null, 'wrong'],
        ] as const) {
          const client = await SmtpClient.connect({ port: suite.postfix.ports.submission, localAddress });
          await client.ehlo();
          if (address !== null) await client.xclient({ ADDR: address });
          const { code } = await client.authPlain('alice', password);
          await client.mail('alice@example.com');
          replies.push(`${code} ${code === 235 ? (await client.rcpt('friend@example.net')).code : ''}`);
          client.close();
        }
        const outside = exceptions ? '235 554' : '535 ';
        assert.deepEqual(replies, ['235 250', outside, '235 250', outside, '535 ']);
      });
    },
  );
}

describe('a passdb with accounts in the same file', needed, () => {
  let store: MailStore;
  before(async () => {
    store = await MailStore.start('accounts', '');
    const file = join(examples(), OLD ? 'accounts-sql.conf.ext' : 'auth-accounts.conf.ext');
    const table = /(create table .*\))$/m.exec(readFileSync(file, 'utf8'))?.[1];
    change(store.db, `${table}; insert into account values ('bob', '{PLAIN}secret'), ('carol', '{PLAIN}secret')`);
    store.allowNets('add', 'bob', '127.0.0.3');
    store.allowNets('add', 'mallory', 'any');
  });
  after(() => store?.remove());

  for (const mechanism of ['PLAIN', 'CRAM-MD5'] as const) {
    test(`asks for the password and the network at once: ${mechanism}`, () =>
      checkAll(store, mechanism, [
        ['bob', '127.0.0.3', IN],
        ['BOB', '127.0.0.3', IN],
        ['bob', '127.0.0.2', REFUSED],
        ['carol', '127.0.0.3', REFUSED],
        ['mallory', '127.0.0.3', REFUSED],
      ]));
  }
});
