// One request after the other to a program that goes on, as smtpd(8) asks it: against a C program that only answers, and against programs
// that do the same job. All of them are asked the same in turn.
import { resolve } from 'node:path';
import { newFile } from '../rig/scratch';
import { policy, seedAsks, seedUsers } from './databases';
import { pingPong, pingPongProgram, postfwd, REQUESTS, seedLoop } from './drivers';
import { conversation } from './requests';
import type { Group } from './row';

export const answers: Group = {
  name: 'answers',
  needs: ['cc', 'postfwd1', 'python3'],
  async measure() {
    const asked = conversation(seedAsks(REQUESTS));
    const [ours, floor, perl, python] = pingPong([
      // The others write no log.
      { argv: policy(seedUsers(), '--persistent', '--log', 'none'), ...asked },
      { argv: [pingPongProgram()], requests: asked.requests, replies: newFile('action=dunno\n\n', 'replies') },
      { argv: postfwd(), ...asked },
      { argv: seedLoop(resolve('test/bench/peers/seed_loop.py'), seedUsers()), ...asked },
    ]);
    const persistent = { what: "persistent, the seed's two users", measured: { value: ours, unit: '/s' } } as const;
    return [
      { ...persistent, against: { what: 'C that only answers', value: floor }, goal: { atLeast: 0.38 } },
      { ...persistent, against: { what: 'postfwd1', value: perl }, goal: { atLeast: 6 } },
      { ...persistent, against: { what: 'Python loop', value: python }, goal: { atLeast: 1.2 } },
    ];
  },
};
