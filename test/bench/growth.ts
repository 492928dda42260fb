// Whether an answer costs the same however many users and networks there are: each database against one user with one
// network, the same kind of question (IPv4 or IPv6, allowed or refused) on both. Nothing is logged (--log none): what a
// refusal costs to log does not depend on the database, and would hide what does.
import {
  bigSet,
  type Family,
  familyOf,
  inside,
  MILLION,
  millionNetworks,
  millionUsers,
  oneNetwork,
  outside,
  SET_SIZE,
  userName,
} from './databases';
import { type Conversation, pingPong, WARMUP, wholeProcesses } from './drivers';
import { policy } from './product';
import { type Ask, conversation, randomNumbers } from './requests';
import { type Figure, type Group, median, type Row } from './row';

interface Case {
  what: string;
  database(): Promise<string>;
  /** How many networks there are to ask about, and whose network `number` is. */
  networks: number;
  user(number: number): string;
  /** Whether half of the refused addresses lie between the networks, the other half being far from all. */
  gaps: boolean;
}

const CASES: Case[] = [
  { what: '1,000,000 users', database: millionUsers, networks: MILLION, user: userName, gaps: true },
  {
    what: 'a user with 1,000,000 networks',
    database: millionNetworks,
    networks: MILLION,
    user: () => userName(0),
    gaps: true,
  },
  {
    what: 'a user with a set of 100,000',
    database: bigSet,
    networks: SET_SIZE,
    user: () => userName(0),
    gaps: true,
  },
];

const FAMILIES: Family[] = [4, 6];
const KINDS = FAMILIES.flatMap((family) => [true, false].map((allowed) => ({ family, allowed })));
type Kind = (typeof KINDS)[number];

const ONE: Omit<Case, 'database'> = {
  what: '1 user, 1 network',
  networks: 1 << 22,
  user: () => userName(0),
  gaps: false,
};

const BLOCKS = 40;
const SIZE = 100;
const ROUNDS = 24;

function asks({ networks, user, gaps }: Omit<Case, 'database'>, { family, allowed }: Kind, count: number): Ask[] {
  const random = randomNumbers(networks + family + Number(allowed));
  return Array.from({ length: count }, (_, serial) => {
    let number = random(networks);
    if (familyOf(number) !== family) number ^= 1;
    const near = gaps && serial % 2 === 0;
    const address = allowed ? inside(number, family, serial) : outside(number, family, near, serial);
    return { user: user(number), address, allowed };
  });
}

async function conversations(count: number, ...args: string[]): Promise<Conversation[][]> {
  return Promise.all(
    KINDS.map(async (kind) => [
      { argv: policy(await oneNetwork(kind.family), ...args), ...conversation(asks(ONE, kind, count)) },
      ...(await Promise.all(
        CASES.map(async (one) => ({
          argv: policy(await one.database(), ...args),
          ...conversation(asks(one, kind, count)),
        })),
      )),
    ]),
  );
}

function rows(figures: Figure[][]): Row[] {
  return CASES.flatMap(({ what }, place) =>
    KINDS.map(({ family, allowed }, kind): Row => {
      const [base, ...measured] = figures[kind] ?? [];
      const one = measured[place];
      if (!base || !one) throw new Error('a program was not run');
      return {
        what: `${what}, IPv${family} ${allowed ? 'hit' : 'miss'}`,
        measured: one,
        against: { what: ONE.what, figure: base },
        goal: { of: 'ratio', is: 'at most', bound: family === 6 && !allowed ? 1.5 : 1.3 },
      };
    }),
  );
}

export const growthPersistent: Group = {
  name: 'growth-persistent',
  async measure() {
    const talks = await conversations((WARMUP + BLOCKS) * SIZE, '--persistent', '--log', 'none');
    const figures: Figure[][] = [];
    for (const all of talks) {
      const results = await pingPong(BLOCKS, SIZE, 6, all);
      figures.push(results.map(({ rate }) => ({ value: 1e6 / rate, unit: 'us' })));
    }
    return rows(figures);
  },
};

export const growthOneShot: Group = {
  name: 'growth-one-shot',
  async measure() {
    const talks = await conversations(ROUNDS, '--log', 'none');
    const results = await wholeProcesses(
      ROUNDS,
      30,
      talks.flat().map(({ argv, requests, replies }) => ({ argv, requests, output: { partsOf: replies } })),
    );
    const width = CASES.length + 1;
    return rows(
      KINDS.map((_, kind) =>
        results.slice(kind * width, (kind + 1) * width).map(({ ms }) => ({ value: median(ms), unit: 'ms' })),
      ),
    );
  },
};
