// What mail clients notice: the time that a recipient takes in a session with a real Postfix, without a policy and with ours and others.
// All services belong to one instance and take their turns. The first recipient of a session, which can start a program, is left out.
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { askPolicy, clientAs, setUpPolicy, usualRestrictions } from '../rig/policy-set-up';
import { startPrivatePostfix } from '../rig/postfix';
import { postfwd, seedLoop } from './drivers';
import { type Group, median } from './row';

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

type Service = 'none' | 'ours' | 'postfwd' | 'python' | 'perl';

export const postfix: Group = {
  name: 'postfix',
  needs: ['root', 'postfix', 'dovecot', 'openssl', 'postfwd1', 'python3'],
  async measure() {
    const policy = setUpPolicy('bench');
    policy.allowNets('add', 'test1', '127.0.0.1');
    const peer = (name: string) => {
      const copy = join(policy.folder, name);
      copyFileSync(`test/bench/peers/${name}`, copy);
      chmodSync(copy, 0o644);
      return copy;
    };
    const service = (name: string, argv: string[]) => `${name} unix - n n - 0 spawn user=nobody argv=${argv.join(' ')}`;
    const asking = (name: string) => [askPolicy(`unix:private/${name}`)];
    const instance = await startPrivatePostfix({
      listeners: {
        none: [`smtpd_recipient_restrictions=${usualRestrictions}`],
        ours: asking('ours'),
        postfwd: asking('postfwd'),
        python: asking('python'),
        perl: asking('perl'),
      },
      services: [
        policy.service('ours', '--persistent'),
        service('postfwd', postfwd()),
        service('python', seedLoop(peer('seed_loop.py'), policy.db)),
        service('perl', ['/usr/bin/perl', peer('perl_loop.pl')]),
      ],
    });
    const times = { none: [], ours: [], postfwd: [], python: [], perl: [] } as { [Name in Service]: number[] };
    for (let round = 0; round < SESSIONS; round++) {
      for (const name of Object.keys(times) as Service[]) times[name].push(...(await session(instance.ports[name])));
    }
    instance.stop();
    const none = median(times.none);
    const added = (name: Service) => median(times[name]) - none;
    const ours = { what: 'added to a recipient', measured: { value: added('ours'), unit: 'ms' } } as const;
    const goal = { atMost: 1 };
    return [
      { what: 'a recipient without a policy', measured: { value: none, unit: 'ms' } },
      { ...ours, goal: { atMost: 0.5 } },
      { ...ours, against: { what: 'postfwd1', value: added('postfwd') }, goal },
      { ...ours, against: { what: 'Python loop', value: added('python') }, goal },
      { ...ours, against: { what: 'Perl that decides nothing', value: added('perl') }, goal },
    ];
  },
};
