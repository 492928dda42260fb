// What mail clients notice: the time that a recipient takes in a session with a real Postfix, without a policy and with ours and others.
// All services belong to one instance and take their turns. The first recipient of a session, which can start a program, is left out.
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing } from '../packages.mjs';
import { askPolicy, clientAs, setUpPolicy, usualRestrictions } from '../rig/policy-set-up';
import { startPrivatePostfix } from '../rig/postfix';
import { atEnd } from '../rig/scratch';
import { postfwd, seedLoop } from './drivers';
import { type Group, LeftOut, median, type Row } from './row';

const RECIPIENTS = 40;
const SESSIONS = 12;

/** How long (ms) each recipient of a session takes. Throws when one of them is refused. */
async function session(port: number): Promise<number[]> {
  const client = await clientAs(port, 'test1', '127.0.0.1');
  const times: number[] = [];
  for (let i = 0; i < RECIPIENTS; i++) {
    const begin = performance.now();
    const reply = await client.rcpt(`r${i}@example.net`);
    if (reply.code !== 250) throw new Error(`recipient ${i}: ${reply.code} ${reply.text}`);
    times.push(performance.now() - begin);
  }
  await client.quit();
  return times.slice(1);
}

/** The peers by name: those that decide, and the Perl loop that does not. */
function peersIn(policy: ReturnType<typeof setUpPolicy>, note: (reason: string) => void): Map<string, string[]> {
  const file = (name: string) => {
    const copy = join(policy.folder, name);
    copyFileSync(`test/bench/peers/${name}`, copy);
    chmodSync(copy, 0o644);
    return copy;
  };
  const all = {
    postfwd: postfwd(),
    python: seedLoop(file('seed_loop.py'), policy.db),
    perl: ['/usr/bin/perl', file('perl_loop.pl')],
  };
  return new Map(
    Object.entries(all).flatMap(([name, argv]): [string, string[]][] => {
      if (argv === null) note(`postfix: ${name} is not installed`);
      return argv === null ? [] : [[name, argv]];
    }),
  );
}

export const postfix: Group = {
  name: 'postfix',
  async measure(note) {
    const lacking = missing(['root', 'postfix', 'dovecot', 'openssl']);
    if (lacking.length > 0) throw new LeftOut(`Postfix: needs ${lacking.join(', ')}`);
    const policy = setUpPolicy('bench');
    const removePolicy = atEnd(() => policy.remove());
    policy.allowNets('add', 'test1', '127.0.0.1');
    const peers = peersIn(policy, note);
    const ask = (name: string): [string, string[]] => [name, [askPolicy(`unix:private/${name}`)]];
    const instance = await startPrivatePostfix<string>({
      listeners: {
        none: [`smtpd_recipient_restrictions=${usualRestrictions}`],
        ...Object.fromEntries(['ours', ...peers.keys()].map(ask)),
      },
      services: [
        policy.service('ours', '--persistent'),
        ...[...peers].map(([name, argv]) => `${name} unix - n n - 0 spawn user=nobody argv=${argv.join(' ')}`),
      ],
    });
    const stopPostfix = atEnd(() => instance.stop());
    const times = new Map<string, number[]>();
    for (let round = 0; round < SESSIONS; round++) {
      for (const [name, port] of Object.entries(instance.ports)) {
        times.set(name, [...(times.get(name) ?? []), ...(await session(port as number))]);
      }
    }
    stopPostfix();
    removePolicy();
    const none = median(times.get('none') ?? []);
    const added = (name: string) => median(times.get(name) ?? []) - none;
    const names: Record<string, string> = {
      postfwd: 'postfwd1',
      python: 'Python loop',
      perl: 'Perl that decides nothing',
    };
    const measured = { value: added('ours'), unit: 'ms' } as const;
    return [
      { what: 'a recipient without a policy', measured: { value: none, unit: 'ms' } },
      { what: 'added to a recipient', measured, goal: { atMost: 0.5 } },
      ...[...peers.keys()].map(
        (name): Row => ({
          what: 'added to a recipient',
          measured,
          against: { what: names[name] ?? name, value: added(name) },
          goal: { atMost: 1 },
        }),
      ),
    ];
  },
};
