// doctor where the program is asked over the network (examples/many-servers, way b): on the policy host, and on a
// server that asks it and has no service of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { policyHostsIn } from '../../src/doctor/policy-host-check';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { freePorts } from '../rig/ports';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { makeLookOlder } from '../rig/postfix-files';
import { assertFaults, commandsIn, faultsIn } from './doctor-output';
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
    makeLookOlder(file);
  }

  /** Compares what is not ok. @returns all that it prints */
  function expectFaults(configDir: string, expected: string, ...words: readonly string[]): string {
    const ran = server.run(['doctor', '-c', configDir, ...words]);
    const { node, script } = server.program;
    const names = { [configDir]: 'DIR', [address]: 'HOST', [`${server.postfix.ports.smtp}/inet`]: 'SMTP' };
    const found = faultsIn(ran, { ...names, [node]: 'NODE', [script]: 'SCRIPT', [server.db]: 'DB' });
    assertFaults(found, expected);
    assert.deepEqual([ran.stderr, ran.status], ['', found.includes('fail ') ? 1 : 0]);
    return ran.stdout;
  }
  const onServer = (expected: string) => expectFaults(server.postfix.configDir, expected, '--service', address);

  test('on the host: the entry is well formed, and answers', () => {
    const stdout = expectFaults(host.configDir, '');
    assert.match(
      stdout,
      new RegExp(`^ok {4}service ${address} (.*\n)*ok {4}answer +${address} answered in \\d+ ms\n$`, 'm'),
    );
  });

  test('on the host: what is wrong with the entry and its time limit, and the commands that fix it', async () => {
    const { node, script } = server.program;
    const wrong = `${address} inet - - y - 1 spawn user=nobody argv=${node} ${script} --persistent --db ${server.db}`;
    await host.command('postconf', '-M', `${address}/inet=${wrong}`);
    await host.command('postconf', '-X', `${address}_time_limit`);
    const expected = `
fail service HOST: private, unpriv, chroot, wakeup and maxproc are "- - y - 1" and must be "n n n - 0"
  $ postconf -c DIR -M 'HOST/inet=HOST inet n n n - 0 spawn user=nobody argv=... SCRIPT --persistent --db DB' && postfix -c DIR reload
warn time limit: HOST_time_limit is 1000s: Postfix kills the program after that time, in the middle of a session
  $ postconf -c DIR HOST_time_limit=3600 && postfix -c DIR reload
`;
    for (const command of commandsIn({ status: 0, stderr: '', stdout: expectFaults(host.configDir, expected) })) {
      execFileSync('sh', ['-c', command], { stdio: 'pipe' });
    }
    expectFaults(host.configDir, '');
    await host.reload();
    assert.deepEqual(await server.replies(), server.expected(true));
  });

  test('on the server: the host answers, and every service asks it; an unusual port must be named', () => {
    const checks = onServer('').match(/^ok {4}\S+( \S+)*/gm);
    const asked = `asked by ${server.postfix.ports.smtp}/inet`;
    assert.deepEqual(checks, [
      ...['Postfix', `policy host inet:${address}`, 'trouble', asked, 'trial'].map((one) => `ok    ${one}`),
    ]);
    expectFaults(
      server.postfix.configDir,
      `
fail service: no service in master.cf runs this program
  $ allow-nets install -c DIR --trial
  or, if inet:HOST is a policy host that runs this program: $ allow-nets doctor -c DIR --service HOST
`,
    );
  });

  const fixed =
    'put check_policy_service { inet:HOST, ... } first in smtpd_recipient_restrictions, without warn_if_reject, ...: $ postfix -c DIR reload';
  const inTrouble = (action: string, effect: string) => `
fail trouble: while the program does not answer, default_action is "${action}": ${effect}
  ${fixed}
`;
  // biome-ignore format: a case a line
  const CASES: [name: string, from: string, to: string, expected: string][] = [
    ['lets mail pass while it is down', '451 4.3.5 Try again later', 'DUNNO', inTrouble('DUNNO', 'users may send from everywhere')],
    ['refuses for good', '451 4.3.5 Try again later', '550 no', inTrouble('550 no', 'all mail is refused for good')],
    ['holds clients for long', 'timeout=10s, ', '', `
warn trouble: while the policy host does not answer at all, each client waits for twice 100s
  add timeout=10s after inet:HOST; then: $ postfix -c DIR reload
`],
    ['asks behind what permits', 'check_policy_service {', 'permit_sasl_authenticated, check_policy_service {', `
fail asked by SMTP: never reached: permit_sasl_authenticated stands before it in smtpd_recipient_restrictions
  ${fixed}
`],
    ['is on trial', 'check_policy', 'warn_if_reject check_policy', `
warn trial: trial: who would be refused is logged as reject_warning, and no user is refused
  ${fixed}
`],
  ];
  for (const [name, from, to, expected] of CASES) {
    test(`on the server: it ${name}`, () => {
      assert.ok(files.main.includes(from));
      writeMain(files.main.replace(from, to));
      onServer(expected);
    });
  }

  test('on the server: the host does not answer', async () => {
    await host.command('postfix', 'stop');
    onServer(`
fail policy host inet:HOST: no answer (...ECONNREFUSED...)
  let this server reach port ..., and on that host run: $ allow-nets doctor
`);
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
