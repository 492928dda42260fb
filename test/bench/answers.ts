// One request after the other to a program that goes on, as smtpd(8) asks it: against a C program that only answers, and against programs
// that do the same job. All of them are asked the same in turn.
import { resolve } from 'node:path';
import { newFile } from '../rig/scratch';
import { askPeople, people, policy, seedUsers } from './databases';
import { bare, onlyAnswers, pingPong, postfwd, REQUESTS, seedLoop } from './drivers';
import { type Ask, conversation } from './requests';
import type { Group } from './row';

const ALLOWED: Ask[] = [
  { user: 'test1', address: '127.0.0.1', allowed: true },
  { user: 'test2', address: '172.31.27.95', allowed: true },
];
const REFUSED: Ask = { user: 'test2', address: '127.0.0.1', allowed: false };
/** One in 20 is refused; each has a recipient of its own, so that no cache of whole requests knows it. */
const SEED_ASKS = Array.from({ length: REQUESTS }, (_, i) => (i % 20 === 19 ? REFUSED : ALLOWED[i % 2]) ?? REFUSED);

export const answers: Group = {
  name: 'answers',
  needs: ['cc', 'postfwd1', 'python3'],
  async measure() {
    const dunno = newFile('action=dunno\n\n', 'replies');
    const allowed = conversation(askPeople(REQUESTS, REQUESTS + 1));
    const [ours, floor] = pingPong([
      { argv: policy(people(), '--persistent'), ...allowed },
      { argv: [onlyAnswers()], requests: allowed.requests, replies: dunno },
    ]);
    const talk = conversation(SEED_ASKS);
    const [seed, node, perl, python] = pingPong([
      // Those others write no log.
      { argv: policy(seedUsers(), '--persistent', '--log', 'none'), ...talk },
      { argv: bare(null, '--persistent'), requests: talk.requests, replies: dunno },
      { argv: postfwd(), ...talk },
      { argv: seedLoop(resolve('test/bench/peers/seed_loop.py'), seedUsers()), ...talk },
    ]);
    const ofSeed = { what: "persistent, the seed's two users", measured: { value: seed, unit: '/s' } } as const;
    return [
      {
        what: 'persistent, 2,000 users, addresses varied',
        measured: { value: ours, unit: '/s' },
        against: { what: 'C that only answers', value: floor },
        goal: { atLeast: 0.38 },
      },
      { ...ofSeed, against: { what: 'Node that only answers', value: node } },
      { ...ofSeed, against: { what: 'postfwd1', value: perl }, goal: { atLeast: 6 } },
      { ...ofSeed, against: { what: 'Python loop', value: python }, goal: { atLeast: 1.2 } },
    ];
  },
};
