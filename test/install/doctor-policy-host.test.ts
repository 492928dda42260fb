// doctor where the program is asked over the network (examples/many-servers, way b): on the policy host, and on a
// server that asks it and has no service of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Finding } from '../../src/doctor/finding';
import { policyHostsIn } from '../../src/doctor/policy-host-check';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { freePorts } from '../rig/ports';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { makeCold } from '../rig/postfix-files';
import { INSIDE, Site } from './site';

describe('doctor, a policy host and a server', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let server: Site<'smtp'>;
  let host: PrivatePostfix<never>;
  let address = '';
  let files = { host: '', main: '' };

  before(async () => {
    const [port = 0] = await freePorts(1);
    address = `127.0.0.1:${port}`;
    server = await Site.open(
      { smtp: 'plain' },
      {
        listeners: { smtp: [] },
        parameters: {
          smtpd_recipient_restrictions: `check_policy_service { inet:${address}, timeout=10s, { default_action = 451 4.3.5 Try again later } }, permit_sasl_authenticated, reject`,
        },
      },
    );
    server.run(['init']);
    server.run(['add', 'alice', INSIDE]);
    for (const [file, mode] of [
      [server.db, 0o640],
      [join(server.db, '..'), 0o750],
    ] as const) {
      chownSync(file, 0, userIds('nobody').gid);
      chmodSync(file, mode);
    }
    const { node, script } = server.program;
    host = await startPrivatePostfix({
      listeners: {},
      services: [`${address} inet n n n - 0 spawn user=nobody argv=${node} ${script} --persistent --db ${server.db}`],
      parameters: { [`${address}_time_limit`]: '3600' },
    });
    files = { host: await host.command('postconf', '-M'), main: server.read('main.cf') };
  });
  after(() => {
    host?.stop();
    server?.close();
  });
  afterEach(() => writeMain(files.main));

  function writeMain(text: string): void {
    const file = join(server.postfix.configDir, 'main.cf');
    writeFileSync(file, text);
    makeCold(file);
  }

  function doctor(configDir: string, ...words: readonly string[]) {
    const { status, stdout, stderr } = server.run(['doctor', '--json', '-c', configDir, ...words]);
    assert.equal(stderr, '');
    const all = JSON.parse(stdout) as Finding[];
    return { status, all, bad: all.filter((one) => one.status !== 'ok') };
  }
  const onServer = () => doctor(server.postfix.configDir, '--service', address);

  test('on the host: the entry is well formed, and answers', () => {
    const { status, all, bad } = doctor(host.configDir);
    assert.deepEqual([status, bad], [0, []]);
    assert.match(all.at(-1)?.message ?? '', new RegExp(`^${address} answered in \\d+ ms$`));
    assert.ok(all.some(({ check }) => check === `service ${address}`));
  });

  test('on the host: what is wrong with the entry and its time limit, and the commands that mend it', async () => {
    const { node, script } = server.program;
    const wrong = `${address} inet - - y - 1 spawn user=nobody argv=${node} ${script} --persistent --db ${server.db}`;
    await host.command('postconf', '-M', `${address}/inet=${wrong}`);
    await host.command('postconf', '-X', `${address}_time_limit`);
    const { status, bad } = doctor(host.configDir);
    assert.deepEqual(
      bad.map((one) => `${one.status} ${one.check}`),
      [`fail service ${address}`, 'warn time limit'],
    );
    assert.match(bad[0]?.message ?? '', /^private, .* are "- - y - 1" and must be "n n n - 0"$/);
    assert.equal(status, 1);
    for (const { remedy } of bad) execFileSync('sh', ['-c', remedy ?? ''], { stdio: 'pipe' });
    assert.deepEqual(doctor(host.configDir).bad, []);
    await host.reload();
    assert.deepEqual(await server.replies(), server.expected(true));
  });

  test('on the server: the host answers, and every service asks it', () => {
    const { status, all, bad } = onServer();
    assert.deepEqual([status, bad], [0, []]);
    assert.deepEqual(
      all.map(({ check }) => check),
      ['Postfix', `policy host inet:${address}`, 'trouble', `asked by ${server.postfix.ports.smtp}/inet`, 'trial'],
    );
    assert.match(all[1]?.message ?? '', /^answered in \d+ ms$/);
  });

  test('on the server: a port that is not the usual one has to be named', () => {
    const { status, bad } = doctor(server.postfix.configDir);
    assert.equal(status, 1);
    assert.match(bad[0]?.more?.[0]?.advice ?? '', /^or, if inet:\S+ is a policy host that runs this program$/);
  });

  const cases: [
    name: string,
    from: string | RegExp,
    to: string,
    check: string,
    status: 'warn' | 'fail',
    message: RegExp,
    advice: RegExp,
  ][] = [
    [
      'lets mail pass while it is down',
      '451 4.3.5 Try again later',
      'DUNNO',
      'trouble',
      'fail',
      /users may send from everywhere/,
      /451/,
    ],
    ['refuses for good', '451 4.3.5 Try again later', '550 no', 'trouble', 'fail', /refused for good/, /451/],
    ['holds clients for long', 'timeout=10s, ', '', 'trouble', 'warn', /twice 100s$/, /^add timeout=10s after/],
    [
      'asks behind what permits',
      'check_policy_service {',
      'permit_sasl_authenticated, check_policy_service {',
      'asked by',
      'fail',
      /^never reached: permit_sasl_authenticated/,
      /^put check_policy_service \{ inet:.* first in /,
    ],
    [
      'is on trial',
      'check_policy',
      'warn_if_reject check_policy',
      'trial',
      'warn',
      /nobody is refused/,
      /warn_if_reject/,
    ],
  ];
  for (const [name, from, to, check, status, message, advice] of cases) {
    test(`on the server: it ${name}`, () => {
      const text = files.main.replace(from, to);
      assert.notEqual(text, files.main);
      writeMain(text);
      const { bad } = onServer();
      assert.equal(bad.length, 1, JSON.stringify(bad));
      assert.ok(bad[0]?.check.startsWith(check), bad[0]?.check);
      assert.equal(bad[0]?.status, status);
      assert.match(bad[0]?.message ?? '', message);
      assert.match(bad[0]?.advice ?? '', advice);
    });
  }

  test('on the server: the host does not answer', async () => {
    await host.command('postfix', 'stop');
    const { status, bad } = onServer();
    assert.equal(status, 1);
    assert.deepEqual(
      bad.map((one) => `${one.status} ${one.check}`),
      [`fail policy host inet:${address}`],
    );
    assert.match(bad[0]?.message ?? '', /^no answer \(.*ECONNREFUSED/);
    assert.match(bad[0]?.advice ?? '', /^let this server reach port \d+, and on that host run$/);
  });
});

describe('which hosts are asked about our users', () => {
  const main =
    'smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10023, check_policy_service { inet:192.0.2.10:10031, timeout=5s }, check_policy_service inet:[2001:db8::1]:10031\n';
  for (const [wanted, expected] of [
    [null, ['inet:192.0.2.10:10031', 'inet:[2001:db8::1]:10031']],
    ['192.0.2.10:10031', ['inet:192.0.2.10:10031']],
    ['10023', ['inet:127.0.0.1:10023']],
    ['allow-nets', []],
  ] as const) {
    test(`--service ${wanted}`, () => assert.deepEqual(policyHostsIn({ main, master: '' }, wanted), expected));
  }
});
