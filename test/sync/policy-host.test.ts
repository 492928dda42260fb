// One policy host for many mail servers, as in examples/many-servers: two Postfix instances ask a third one, which is stopped and started;
// and what doctor says on the host, and on a server that asks it and has no service of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { policyHostsIn } from '../../src/doctor/policy-host-check';
import { assertFaults, commandsIn, faultsIn } from '../install/doctor-output';
import { needs } from '../requires';
import { userIds } from '../rig/accounts';
import { clientAs, example, installedService, type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import { freePorts } from '../rig/ports';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { makeLookOlder } from '../rig/postfix-files';
import { run } from '../rig/run';
import { kill } from '../rig/scratch';

const EXAMPLE = '192.0.2.10:10031';

/** The parameter of a main.cf of examples/many-servers, with this host and port in place of the example's. */
function parameterIn(file: string, where: string): Record<string, string> {
  const text = example(`many-servers/${file}`).replace(EXAMPLE, where);
  const [, name = '', value = ''] = /^(\S+) =\s*([\s\S]*\S)/m.exec(text) ?? [];
  return { [name]: value };
}

describe('one policy host for many servers', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let host: PrivatePostfix<never>;
  let servers: PrivatePostfix<'smtp'>[] = [];
  let address = '';

  before(async () => {
    policy = setUpPolicy('policy-host');
    policy.allowNets('add', 'alice', '192.0.2.0/24');
    chownSync(policy.folder, 0, userIds('nobody').gid);
    chmodSync(policy.folder, 0o750);
    const [port = 0] = await freePorts(1);
    address = `127.0.0.1:${port}`;
    const master = installedService(policy, example('many-servers/policy-host.master.cf'));
    const [timeLimit = ''] = Object.keys(parameterIn('policy-host.main.cf', address));
    host = await startPrivatePostfix({
      listeners: {},
      services: [master.replace(EXAMPLE, address)],
      parameters: { [timeLimit]: '3600' },
    });
    // One asks by address, the other by a name with two addresses, of which the first one (::1) refuses the connection.
    servers = await Promise.all(
      [address, `localhost:${port}`].map((where) =>
        startPrivatePostfix({ listeners: { smtp: [] }, parameters: parameterIn('mail-server.main.cf', where) }),
      ),
    );
  });
  after(() => {
    for (const instance of [...servers, host]) instance?.stop();
    policy?.remove();
  });

  /** The code and text of each server's answer to a recipient of alice from there. */
  async function answers(from: string): Promise<string[]> {
    return Promise.all(
      servers.map(async ({ ports }) => {
        const client = await clientAs(ports.smtp, 'alice', from);
        const { code, text } = await client.rcpt('someone@example.net');
        client.close();
        return `${code} ${text}`;
      }),
    );
  }

  const passes = (answer: string) => assert.match(answer, /^250 2\.1\.5 Ok/);
  const refused = (answer: string) =>
    assert.match(answer, /^554 5\.7\.1 .*alice may not send mail from 203\.0\.113\.1$/);
  const putOff = (answer: string) => assert.match(answer, /^451 4\.3\.5 .*Try again later$/);

  test('both servers get its verdicts, and a change counts at once on both', async () => {
    (await answers('192.0.2.7')).forEach(passes);
    (await answers('203.0.113.1')).forEach(refused);
    policy.allowNets('add', 'alice', '203.0.113.1');
    (await answers('203.0.113.1')).forEach(passes);
    policy.allowNets('remove', 'alice', '203.0.113.1');
    (await answers('203.0.113.1')).forEach(refused);
  });

  test('the time limit of the example is the one that spawn applies', async () => {
    const limitTo = async (seconds: number) => {
      await host.command('postconf', '-e', `${address}_time_limit = ${seconds}`);
      for (const instance of [host, ...servers]) await instance.reload();
    };
    await limitTo(5);
    (await answers('192.0.2.7')).forEach(passes);
    await host.waitForLog(/spawn\[\d+\]: warning: .*: process id \d+: command time limit exceeded/);
    (await answers('192.0.2.7')).forEach(passes);
    await limitTo(3600);
  });

  /** Runs doctor and compares what is not ok. @returns all that it prints */
  function expectFaults(configDir: string, expected: string, ...words: readonly string[]): string {
    const { node, script } = policy.program;
    const ran = run(['doctor', '-c', configDir, ...words], { command: [node, script], db: policy.db });
    const names = { [configDir]: 'DIR', [address]: 'HOST', [`${servers[0]?.ports.smtp}/inet`]: 'SMTP' };
    const found = faultsIn(ran, { ...names, [node]: 'NODE', [script]: 'SCRIPT', [policy.db]: 'DB' });
    assertFaults(found, expected);
    assert.deepEqual([ran.stderr, ran.status], ['', found.includes('fail ') ? 1 : 0]);
    return ran.stdout;
  }
  const serverDir = () => servers[0]?.configDir ?? '';
  const onServer = (expected: string) => expectFaults(serverDir(), expected, '--service', address);

  test('doctor on the host: what is wrong with the entry and its time limit, and the commands that fix it', async () => {
    const ok = expectFaults(host.configDir, '');
    const lines = `^ok {4}service ${address} (.*\n)*ok {4}answer +${address} answered in \\d+ ms\n$`;
    assert.match(ok, new RegExp(lines, 'm'));
    const { node, script } = policy.program;
    const wrong = `${address} inet - - y - 1 spawn user=nobody argv=${node} ${script} --persistent --db ${policy.db}`;
    await host.command('postconf', '-M', `${address}/inet=${wrong}`);
    await host.command('postconf', '-X', `${address}_time_limit`);
    const stdout = expectFaults(
      host.configDir,
      `
fail service HOST: private, unpriv, chroot, wakeup and maxproc are "- - y - 1" and must be "n n n - 0"
  $ postconf -c DIR -M 'HOST/inet=HOST inet n n n - 0 spawn user=nobody argv=... SCRIPT --persistent --db DB' && postfix -c DIR reload
warn time limit: HOST_time_limit is 1000s: Postfix kills the program after that time, in the middle of a session
  $ postconf -c DIR HOST_time_limit=3600 && postfix -c DIR reload
`,
    );
    for (const command of commandsIn({ status: 0, stderr: '', stdout })) {
      execFileSync('sh', ['-c', command], { stdio: 'pipe' });
    }
    expectFaults(host.configDir, '');
    await host.reload();
    (await answers('203.0.113.1')).forEach(refused);
  });

  test('doctor on a server: the host answers, and every service asks it; an unusual port must be named', () => {
    const checks = onServer('').match(/^ok {4}\S+( \S+)*/gm);
    const asked = `asked by ${servers[0]?.ports.smtp}/inet`;
    assert.deepEqual(checks, [
      ...['Postfix', `policy host inet:${address}`, 'trouble', asked, 'trial'].map((one) => `ok    ${one}`),
    ]);
    expectFaults(
      serverDir(),
      `
fail service: no service in master.cf runs this program
  $ allow-nets install -c DIR --trial
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
    test(`doctor on a server whose check ${name}`, () => {
      const file = join(serverDir(), 'main.cf');
      const good = readFileSync(file, 'utf8');
      const write = (text: string) => {
        writeFileSync(file, text);
        makeLookOlder(file);
      };
      assert.ok(good.includes(from));
      write(good.replace(from, to));
      onServer(expected);
      write(good);
    });
  }

  test('while it is stopped, both defer mail; after a start, everything works at once', async () => {
    (await answers('192.0.2.7')).forEach(passes);
    await host.command('postfix', 'stop');
    // Postfix leaves alone the programs that are connected: they are still right.
    (await answers('192.0.2.7')).forEach(passes);
    (await answers('203.0.113.1')).forEach(refused);
    for (const { pid, command } of host.processes()) if (command.includes('allow-nets.js')) kill(pid, 'SIGKILL');
    (await answers('192.0.2.7')).forEach(putOff);
    (await answers('203.0.113.1')).forEach(putOff);
    onServer(`
fail policy host inet:HOST: no answer (...ECONNREFUSED...)
  let this server reach port ..., and on that host run: $ allow-nets doctor
`);
    await host.command('postfix', 'start');
    (await answers('192.0.2.7')).forEach(passes);
    (await answers('203.0.113.1')).forEach(refused);
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
