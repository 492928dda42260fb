// Rows put in by plain SQL, spelled in uncommon ways: the program must find out itself what they mean, once after each
// change of the database. `tidy` rewrites them, and from then on they must cost nothing.
import Database from 'better-sqlite3';
import { runClean } from './clean-process';
import { emptyDatabase, type Family, inside, oneNetwork, userName } from './databases';
import { pingPong, WARMUP } from './drivers';
import { allowNets, policy } from './product';
import { type Ask, conversation } from './requests';
import { type Group, median, type Row } from './row';
import { Talk } from './talk';

const ROWS = 10_000;
const CHANGES = 15;
const BLOCKS = 30;
const SIZE = 100;
const USER = userName(0);

/** The network of `number`, so spelled as people and other programs do. */
function spelled(number: number): string {
  const v4 = inside(number, 4);
  const v6 = inside(number, 6);
  switch (number % 6) {
    case 0:
      return v4; // a bare address
    case 1:
      return `${v4}/32`;
    case 2:
      return `${v4.replace(/\d+$/, (octet) => `${Number(octet) + 1}`)}/31`; // host bits
    case 3:
      return `::ffff:${v4}`;
    case 4:
      return `${v6.toUpperCase()}/64`; // host bits, upper case
    default:
      return `${expanded(v6)}/64`;
  }
}

function familyOf(number: number): Family {
  return number % 6 < 4 ? 4 : 6;
}

/** All eight groups of an address with one `::`, four digits each. */
function expanded(address: string): string {
  const [before = [], after = []] = address.split('::').map((half) => half.split(':'));
  const zeros = Array(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, '0')).join(':');
}

function insert(path: string, numbers: Iterable<number>, user = USER): void {
  const database = new Database(path);
  const statement = database.prepare('insert into access (user, network) values (?, ?)');
  database.transaction(() => {
    for (const number of numbers) statement.run(user, spelled(number));
  })();
  database.close();
}

function asks(count: number): Ask[] {
  return Array.from({ length: count }, (_, serial) => {
    const number = (serial * 7919) % ROWS;
    return { user: USER, address: inside(number, familyOf(number), serial), allowed: true };
  });
}

/** The first answers after changes (ms), by one and the same program. */
async function afterChanges(path: string, firstNumber: number): Promise<number[]> {
  const talk = new Talk(policy(path, '--persistent'));
  const [first, ...rest] = asks(CHANGES + 1);
  const times: number[] = [];
  if (first) await talk.ask(first);
  for (const [i, ask] of rest.entries()) {
    insert(path, [firstNumber + i], 'someone.else@example.com');
    times.push(await talk.ask(ask));
  }
  await talk.end();
  return times;
}

async function usual(path: string): Promise<{ value: number; unit: 'us' }[]> {
  const count = (WARMUP + BLOCKS) * SIZE;
  const talk = conversation(asks(count));
  const one = conversation(asks(count).map((ask, serial) => ({ ...ask, address: inside(serial, 4) })));
  const results = await pingPong(BLOCKS, SIZE, 5, [
    { argv: policy(path, '--persistent'), ...talk },
    { argv: policy(await oneNetwork(4), '--persistent'), ...one },
  ]);
  return results.map(({ median }) => ({ value: median, unit: 'us' }));
}

async function rows(path: string, state: string, tidy: boolean, firstNumber: number): Promise<Row[]> {
  const changed = await afterChanges(path, firstNumber);
  const [median_, one] = await usual(path);
  if (!median_ || !one) throw new Error('a program was not run');
  const against = { what: '1 user, 1 network', figure: one };
  const milliseconds: Row['goal'] = { of: 'value', is: 'at most', bound: 10 };
  return [
    {
      what: `${state}: first answer after a change`,
      measured: { value: median(changed), unit: 'ms' },
      goal: milliseconds,
      more: { 'most ms': Math.max(...changed) },
    },
    tidy
      ? {
          what: `${state}: later answers`,
          measured: median_,
          against,
          goal: { of: 'ratio', is: 'at most', bound: 1.3 },
        }
      : {
          what: `${state}: later answers`,
          measured: { value: median_.value / 1000, unit: 'ms' },
          goal: milliseconds,
        },
  ];
}

export const handWritten: Group = {
  name: 'hand-written',
  async measure() {
    const path = await emptyDatabase('hand-written');
    insert(path, Array(ROWS).keys());
    const before = await rows(path, `${ROWS} rows by hand`, false, ROWS);
    await runClean(allowNets('tidy', '--db', path));
    return [...before, ...(await rows(path, 'after tidy', true, 2 * ROWS))];
  },
};
