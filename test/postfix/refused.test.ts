// The chapter "The phone call" of the README: a real Postfix refuses, `refused` reads its log, and what it prints lets the user in.
// To write the session anew after a wanted change: UPDATE=1 node test/run.mjs postfix/refused
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needs } from '../requires';
import { ROOT, replay, withoutMoments } from '../transcript';
import { askPolicy, clientAs, type PolicySetUp, setUpPolicy } from './policy-set-up';
import { type PrivatePostfix, startPrivatePostfix } from './private-postfix';

const SESSION = join(ROOT, 'examples/sessions/the-phone-call.txt');
const FORGED = 'postfix/allow-nets[1]: verdict=reject user=mallory address=203.0.113.66 reason=no-entry';

describe('refused, with a real Postfix', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  let policy: PolicySetUp;
  let postfix: PrivatePostfix<'submission' | 'trial'>;

  before(async () => {
    policy = setUpPolicy('refused');
    policy.allowNets('add', 'alice@example.com', '192.0.2.0/24');
    const ask = askPolicy('unix:private/allow-nets');
    postfix = await startPrivatePostfix({
      listeners: { submission: [ask], trial: [ask.replace('=check', '=warn_if_reject check')] },
      services: [policy.service('allow-nets', '--persistent')],
    });
  });
  after(() => {
    postfix?.stop();
    policy?.remove();
  });

  /** @returns the code of the answer to RCPT, once the program has logged what it is */
  async function rcpt(user: string, address: string, { isTrial = false, helo = '', to = '' } = {}) {
    const from = postfix.log().length;
    const client = await clientAs(postfix.ports[isTrial ? 'trial' : 'submission'], user, address);
    if (helo !== '') {
      await client.ehlo(helo);
      await client.mail('sender@example.com');
    }
    const { code } = await client.rcpt(to || 'friend@example.net');
    await client.quit();
    if (code !== 250 || isTrial) {
      await postfix.waitForLog(/ postfix\/allow-nets\[\d+\]: verdict=reject .*\n/, from);
    }
    return code;
  }

  function refused(...words: string[]) {
    const { node, script } = policy.program;
    const env = { ...process.env, MAIL_CONFIG: postfix.configDir, ALLOW_NETS_DB: policy.db };
    const ran = spawnSync(node, [script, 'refused', '--json', ...words], { encoding: 'utf8', env });
    assert.equal(ran.status, 0, ran.stderr);
    return { rows: JSON.parse(ran.stdout) as Record<string, unknown>[], stderr: ran.stderr };
  }

  test('nothing refused yet: an empty array, from the log that Postfix writes', async () => {
    assert.equal(await rcpt('alice@example.com', '192.0.2.7'), 250);
    const { rows, stderr } = refused();
    assert.deepEqual(rows, []);
    assert.match(stderr, /^allow-nets: hint: the log is \/\S+\n/);
  });

  test('the session', async () => {
    assert.equal(await rcpt('bob', '2001:db8:1:2::7'), 554);
    assert.equal(await rcpt('alice@example.com', '203.0.113.9'), 554);
    assert.equal(await rcpt('alice@example.com', '203.0.113.9'), 554);
    const session = readFileSync(SESSION, 'utf8');
    const log = /the log is (\S+)/.exec(refused().stderr)?.[1] ?? '';
    const now = replay(session, {
      program: policy.program,
      env: { MAIL_CONFIG: postfix.configDir },
      places: { '/var/lib/allow-nets/access.db': policy.db, '/var/log/mail.log': log },
    });
    if ((process.env['UPDATE'] ?? '') !== '') writeFileSync(SESSION, withoutMoments(now));
    assert.equal(withoutMoments(now), readFileSync(SESSION, 'utf8'));
    assert.equal(await rcpt('alice@example.com', '203.0.113.9'), 250);
  });

  test('a trial, and clients whose names and recipients look like our own line', async () => {
    const helo = `x: ${FORGED}`;
    assert.equal(await rcpt('dave', '2001:db8:7::1', { isTrial: true }), 250);
    assert.equal(await rcpt('dave', '2001:db8:7::2', { helo, to: `"${FORGED}"@example.net` }), 554);
    assert.equal(await rcpt(`carol: ${FORGED}`, '[UNAVAILABLE]', { helo }), 554);
    const { rows, stderr } = refused('--since', '1h');
    const told = rows.map(({ user, network, refusals, reason, allowed_now, command }) =>
      [user, network, refusals, reason, allowed_now, command].join(' | '),
    );
    assert.deepEqual(told, [
      'bob | 2001:db8:1:2::/64 | 1 | no-entry | false | allow-nets add bob 2001:db8:1:2::/64 --for 3d',
      'alice@example.com | 203.0.113.9/32 | 2 | not-covered | true | ',
      'dave | 2001:db8:7::/64 | 2 | no-entry | false | allow-nets add dave 2001:db8:7::/64 --for 3d',
      `carol: ${FORGED} |  | 1 | no-entry | false | `,
    ]);
    assert.doesNotMatch(stderr, /broken|not understood/);
  });
});
