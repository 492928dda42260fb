// What mail clients notice: sessions of many recipients with a real Postfix (test/postfix), with and without the policy.
//
// All services belong to one instance and take their turns. The program is the one in bin/, whatever --program says.
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from '../packages.mjs';
import { askPolicy, clientAs, setUpPolicy, usualRestrictions } from '../postfix/policy-set-up';
import { startPrivatePostfix } from '../postfix/private-postfix';
import { type Group, LeftOut, median, type Row } from './row';
import { atEnd } from './scratch';

const RECIPIENTS = 50;
/** Each of them is a start of Node. */
const ONE_SHOT_RECIPIENTS = 15;
const SESSIONS = 7;
/** No round begins after these. */
const SECONDS = 30;

/** How long (ms) the recipients of one session take. Throws when one of them is refused. */
async function session(port: number, recipients: number): Promise<number> {
  const client = await clientAs(port, 'test1', '127.0.0.1');
  const begin = performance.now();
  for (let i = 0; i < recipients; i++) {
    const reply = await client.rcpt(`r${i}@example.net`);
    if (reply.code !== 250) throw new Error(`recipient ${i}: ${reply.code} ${reply.text}`);
  }
  const took = performance.now() - begin;
  await client.quit();
  return took;
}

async function sessions(): Promise<Record<'none' | 'persistent' | 'oneShot' | 'nodeOnly', number>> {
  const policy = setUpPolicy('bench');
  const removePolicy = atEnd(() => policy.remove());
  policy.allowNets('add', 'test1', '127.0.0.1');
  const peer = join(policy.folder, 'bare.js');
  copyFileSync('test/bench/peers/bare.js', peer);
  chmodSync(peer, 0o644);
  const postfix = await startPrivatePostfix({
    listeners: {
      none: [`smtpd_recipient_restrictions=${usualRestrictions}`],
      persistent: [askPolicy('unix:private/persistent')],
      oneShot: [askPolicy('{ unix:private/one-shot, request_limit=1 }')],
      nodeOnly: [askPolicy('{ unix:private/node-only, request_limit=1 }')],
    },
    services: [
      policy.service('persistent', '--persistent'),
      policy.service('one-shot'),
      `node-only unix - n n - 0 spawn user=nobody argv=${policy.program.node} ${peer}`,
    ],
  });
  const stopPostfix = atEnd(() => postfix.stop());
  const times = { none: [], persistent: [], oneShot: [], nodeOnly: [] } as Record<keyof typeof postfix.ports, number[]>;
  const end = Date.now() + SECONDS * 1000;
  for (let round = -1; round < SESSIONS && (round < 3 || Date.now() < end); round++) {
    for (const [name, port] of Object.entries(postfix.ports)) {
      const oneShot = name === 'oneShot' || name === 'nodeOnly';
      const took = await session(port, oneShot ? ONE_SHOT_RECIPIENTS : RECIPIENTS);
      if (round >= 0) times[name as keyof typeof times].push(took);
    }
  }
  stopPostfix();
  removePolicy();
  const { none, persistent, oneShot, nodeOnly } = times;
  return {
    none: median(none),
    persistent: median(persistent),
    oneShot: median(oneShot),
    nodeOnly: median(nodeOnly),
  };
}

async function measure(): Promise<Row[]> {
  const lacking = missing(['root', 'postfix', 'dovecot', 'openssl']);
  if (lacking.length > 0) throw new LeftOut(`Postfix: needs ${lacking.join(', ')}`);
  const { none, persistent, oneShot, nodeOnly } = await sessions();
  return [
    {
      what: `session of ${RECIPIENTS} recipients, persistent: time added`,
      measured: { value: persistent - none, unit: 'ms' },
      goal: { of: 'value', is: 'at most', bound: RECIPIENTS },
      more: { 'session ms': persistent, 'without policy': none },
    },
    {
      what: `session of ${ONE_SHOT_RECIPIENTS} recipients, request_limit=1`,
      measured: { value: oneShot, unit: 'ms' },
      against: { what: 'Node that only answers', figure: { value: nodeOnly, unit: 'ms' } },
      goal: { of: 'ratio', is: 'at most', bound: 1.15 },
    },
  ];
}

export const postfix: Group = { name: 'postfix', measure };
