// One policy host for many mail servers, as in examples/many-servers: two Postfix instances ask a third one, which is stopped and started.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { clientAs, type PolicySetUp, setUpPolicy } from '../rig/policy-set-up';
import { freePorts } from '../rig/ports';
import { type PrivatePostfix, startPrivatePostfix } from '../rig/postfix';
import { kill } from '../rig/scratch';
import { example, parametersOf, servicesOf } from './example-files';

const ADDRESS = '192.0.2.10';

describe('one policy host for many servers', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let host: PrivatePostfix<never>;
  let servers: PrivatePostfix<'smtp'>[] = [];
  let port = 0;

  before(async () => {
    policy = setUpPolicy('policy-host');
    policy.allowNets('add', 'alice', '192.0.2.0/24');
    [port = 0] = await freePorts(1);
    const { node, script } = policy.program;
    const master = example('policy-host.master.cf', {
      [`${ADDRESS}:10031`]: `127.0.0.1:${port}`,
      '/usr/bin/env node /usr/local/lib/node_modules/postfix-allow-nets/bin/allow-nets.js': `${node} ${script} --db ${policy.db}`,
    });
    const time = example('policy-host.main.cf', { [`${ADDRESS}:10031`]: `127.0.0.1:${port}`, '3600': '5' });
    host = await startPrivatePostfix({
      listeners: {},
      services: servicesOf(master),
      parameters: parametersOf(time),
    });
    // One asks by address, the other by a name with two addresses, of which the first one (::1) refuses the connection.
    servers = await Promise.all(
      ['127.0.0.1', 'localhost'].map((name) =>
        startPrivatePostfix({
          listeners: { smtp: [] },
          parameters: parametersOf(example('mail-server.main.cf', { [`${ADDRESS}:10031`]: `${name}:${port}` })),
        }),
      ),
    );
  });
  after(() => {
    for (const instance of [...servers, host]) instance?.stop();
    policy?.remove();
  });

  /** The code and text of each server's answer to a recipient of alice at the address. */
  async function answers(address: string): Promise<string[]> {
    return Promise.all(
      servers.map(async ({ ports }) => {
        const client = await clientAs(ports.smtp, 'alice', address);
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
    await host.waitForLog(/spawn\[\d+\]: warning: .*: process id \d+: command time limit exceeded/);
    (await answers('192.0.2.7')).forEach(passes);
    await host.command('postconf', '-e', `127.0.0.1:${port}_time_limit = 3600`);
    for (const instance of [host, ...servers]) await instance.reload();
  });

  test('while it is stopped, both defer mail; after a start, everything works at once', async () => {
    (await answers('192.0.2.7')).forEach(passes);
    await host.command('postfix', 'stop');
    // Postfix leaves alone the programs that are connected: they are still right.
    (await answers('192.0.2.7')).forEach(passes);
    (await answers('203.0.113.1')).forEach(refused);
    for (const { pid, command } of host.processes()) if (command.includes('allow-nets.js')) kill(pid, 'SIGKILL');
    (await answers('192.0.2.7')).forEach(putOff);
    (await answers('203.0.113.1')).forEach(putOff);
    await host.command('postfix', 'start');
    (await answers('192.0.2.7')).forEach(passes);
    (await answers('203.0.113.1')).forEach(refused);
  });
});
