// Whether an answer costs the same however many users and networks there are: each database against one user with one
// network, the same kind of question (IPv4 or IPv6, allowed or refused) on both. Nothing is logged (--log none): what a
// refusal costs to log does not depend on the database, and would hide what does.
import { type Family, familyOf, inside, MILLION, oneNetwork, outside, policy, SET_SIZE, userName } from './databases';
import { pingPong, WARMUP } from './drivers';
import { loadedSet, millionUsers } from './many-rows';
import { type Ask, conversation, randomNumbers } from './requests';
import type { Group, Row } from './row';

interface Case {
  what: string;
  database(): Promise<string>;
  /** How many networks there are to ask about, and whose network `number` is. */
  networks: number;
  user(number: number): string;
}

const CASES: Case[] = [
  { what: '1,000,000 users', database: millionUsers, networks: MILLION, user: userName },
  { what: 'a user with a loaded set of 100,000', database: loadedSet, networks: SET_SIZE, user: () => userName(0) },
];

const KINDS = ([4, 6] as const).flatMap((family) => [true, false].map((allowed) => ({ family, allowed })));

const BLOCKS = 30;
const SIZE = 100;

/** Half of the refused addresses lie between the networks, the other half far from all; about one network all are far. */
function asks(networks: number, user: (number: number) => string, family: Family, allowed: boolean): Ask[] {
  const random = randomNumbers(networks + family + Number(allowed));
  return Array.from({ length: (WARMUP + BLOCKS) * SIZE }, (_, serial) => {
    let number = 2 + random(networks - 2);
    if (familyOf(number) !== family) number ^= 1;
    const near = networks <= MILLION && serial % 2 === 0;
    const address = allowed ? inside(number, family, serial) : outside(number, family, near, serial);
    return { user: user(number), address, allowed };
  });
}

export const growth: Group = {
  name: 'growth',
  async measure() {
    const rows: Row[] = [];
    for (const { family, allowed } of KINDS) {
      const words = ['--persistent', '--log', 'none'];
      const [one, ...rates] = await pingPong(BLOCKS, SIZE, 5, [
        {
          argv: policy(await oneNetwork(family), ...words),
          ...conversation(asks(1 << 22, () => userName(0), family, allowed)),
        },
        ...(await Promise.all(
          CASES.map(async ({ database, networks, user }) => ({
            argv: policy(await database(), ...words),
            ...conversation(asks(networks, user, family, allowed)),
          })),
        )),
      ]);
      for (const [i, { what }] of CASES.entries()) {
        rows.push({
          what: `${what}, IPv${family} ${allowed ? 'allowed' : 'refused'}`,
          measured: { value: 1e6 / (rates[i] ?? Number.NaN), unit: 'us' },
          against: { what: '1 user, 1 network', value: 1e6 / (one ?? Number.NaN) },
          goal: { atMost: 1.5 },
        });
      }
    }
    return rows;
  },
};
