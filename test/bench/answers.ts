// One request after the other to a program that goes on, as smtpd(8) asks it: against a C program that only answers, and against programs
// that do the same job. All of them are asked the same in turn.
import { resolve } from 'node:path';
import { askPeople, people, policy, seedUsers } from './databases';
import { bare, driver, pingPong, postfwd, seedLoop, textFile, WARMUP } from './drivers';
import { type Ask, conversation } from './requests';
import type { Group, Row } from './row';

// Many and small, so that the median block is one without other programs' noise.
const BLOCKS = 60;
const SIZE = 100;
/** With those that are not counted: no request is ever repeated. */
const ASKS = (WARMUP + BLOCKS) * SIZE;

const ALLOWED: Ask[] = [
  { user: 'test1', address: '127.0.0.1', allowed: true },
  { user: 'test2', address: '172.31.27.95', allowed: true },
];
const REFUSED: Ask = { user: 'test2', address: '127.0.0.1', allowed: false };
/** One in 20 is refused; each has a recipient of its own, so that no cache of whole requests knows it. */
const SEED_ASKS = Array.from({ length: ASKS }, (_, i) => (i % 20 === 19 ? REFUSED : ALLOWED[i % 2]) ?? REFUSED);

export const answers: Group = {
  name: 'answers',
  async measure(note) {
    const dunno = textFile('action=dunno\n\n');
    const asks = conversation(askPeople(ASKS, ASKS + 1));
    const [ours, floor] = await pingPong(BLOCKS, SIZE, 10, [
      { argv: policy(await people(), '--persistent'), ...asks },
      { argv: [await driver('only-answers')], requests: asks.requests, replies: dunno },
    ]);
    const rows: Row[] = [
      {
        what: 'persistent, 2,000 users, addresses varied',
        measured: { value: ours ?? Number.NaN, unit: '/s' },
        against: { what: 'C that only answers', value: floor ?? Number.NaN },
        goal: { atLeast: 0.38 },
      },
    ];
    const talk = conversation(SEED_ASKS);
    const python = seedLoop(resolve('test/bench/peers/seed_loop.py'), await seedUsers());
    const all = [
      { what: 'postfwd1', argv: postfwd(), atLeast: 6 },
      { what: 'Python loop', argv: python, atLeast: 1.2 },
    ];
    const peers = all.flatMap((peer) => (peer.argv === null ? [] : [{ ...peer, argv: peer.argv }]));
    for (const { what, argv } of all) if (argv === null) note(`${what} is not installed`);
    const [seed, node, ...theirs] = await pingPong(BLOCKS, SIZE, 15, [
      // Those others write no log.
      { argv: policy(await seedUsers(), '--persistent', '--log', 'none'), ...talk },
      { argv: bare(null, '--persistent'), requests: talk.requests, replies: dunno },
      ...peers.map(({ argv }) => ({ argv, ...talk })),
    ]);
    const measured = { value: seed ?? Number.NaN, unit: '/s' } as const;
    const against = { what: 'Node that only answers', value: node ?? Number.NaN };
    rows.push({ what: "persistent, the seed's two users", measured, against });
    for (const [i, { what, atLeast }] of peers.entries()) {
      rows.push({
        what: "persistent, the seed's two users",
        measured,
        against: { what, value: theirs[i] ?? Number.NaN },
        goal: { atLeast },
      });
    }
    return rows;
  },
};
