// Against other programs that do the same job, asked the same questions over a socket pair each.
import { findProgram } from './clean-process';
import { seedUsers } from './databases';
import { pingPong, textFile, WARMUP } from './drivers';
import { bare } from './floor';
import { policy } from './product';
import { type Ask, conversation } from './requests';
import { type Group, LeftOut, type Row } from './row';

const BLOCKS = 40;
/** Large, so that what the programs before have put out of the processor's caches is a small part. */
const SIZE = 200;

const ALLOWED: Ask[] = [
  { user: 'test1', address: '127.0.0.1', allowed: true },
  { user: 'test2', address: '172.31.27.95', allowed: true },
];
const REFUSED: Ask = { user: 'test2', address: '127.0.0.1', allowed: false };

/** One in 20 is refused; each has a recipient of its own, so that no cache of whole requests knows it. */
const ASKS = Array.from(
  { length: (WARMUP + BLOCKS) * SIZE },
  (_, i) => (i % 20 === 19 ? REFUSED : ALLOWED[i % 2]) ?? REFUSED,
);

/** What the seed's two rows say, for postfwd. */
const RULES = `
id=ONE; sasl_username==test1; client_address==127.0.0.1/32; action=dunno
id=TWO; sasl_username==test2; client_address==172.31.27.95/32; action=dunno
id=END; action=reject 5.7.1 $$sasl_username may not send mail from $$client_address
`;

async function compare(what: string, peer: string[], bound: number): Promise<Row[]> {
  const talk = conversation(ASKS);
  const [ours, theirs, floor] = await pingPong(BLOCKS, SIZE, 8, [
    // Those others write no log.
    { argv: policy(await seedUsers(), '--persistent', '--log', 'none'), ...talk },
    { argv: peer, ...talk },
    { argv: bare(null, '--persistent'), requests: talk.requests, replies: textFile('action=dunno\n\n') },
  ]);
  if (!ours || !theirs || !floor) throw new Error('a program was not run');
  const against = { what, figure: { value: theirs.rate, unit: '/s' } } as const;
  return [
    {
      what: `the seed's two users, against ${what}`,
      measured: { value: ours.rate, unit: '/s' },
      against,
      goal: { of: 'ratio', is: 'at least', bound },
    },
    { what: 'the floor: Node that only answers', measured: { value: floor.rate, unit: '/s' }, against },
  ];
}

export const postfwd: Group = {
  name: 'postfwd1',
  async measure() {
    const program = findProgram('postfwd1');
    if (!program) throw new LeftOut('postfwd1 is not installed (Debian package postfwd)');
    // Without --daemon it answers on standard output, as from inetd: a third faster than its server, and over the same
    // transport as ours. It writes no log then, either.
    const quiet = ['--nodns', '--norulelog', '--noidlestats'];
    return compare('postfwd1', [program, '--file', textFile(RULES, '.cf'), ...quiet], 8);
  },
};

export const seedLoop: Group = {
  name: 'seed-loop',
  async measure() {
    const python = findProgram('python3');
    if (!python) throw new LeftOut('the seed as a Python loop: python3 is not installed');
    const program = `${process.cwd()}/test/bench/peers/seed_loop.py`;
    return compare('Python loop', [python, program, await seedUsers()], 2);
  },
};
