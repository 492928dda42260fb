// One request after the other to a program that goes on, as smtpd(8) asks it: against a C program that only answers.
import { askPeople, people } from './databases';
import { driver, pingPong, textFile, WARMUP } from './drivers';
import { policy } from './product';
import { conversation } from './requests';
import type { Group, Row } from './row';

// Many and small, so that the median block is one without other programs' noise.
const BLOCKS = 100;
const SIZE = 100;
/** With those that are not counted: no request is ever repeated where they are to vary. */
const ASKS = (WARMUP + BLOCKS) * SIZE;

async function against(what: string, asks: ReturnType<typeof askPeople>, rate: number): Promise<Row[]> {
  const { requests, replies } = conversation(asks);
  const dunno = textFile('action=dunno\n\n');
  const [ours, floor] = await pingPong(BLOCKS, SIZE, 10, [
    { argv: policy(await people(), '--persistent'), requests, replies },
    { argv: [await driver('only-answers')], requests, replies: dunno },
  ]);
  if (!ours || !floor) throw new Error('a program was not run');
  return [
    {
      what,
      measured: { value: ours.rate, unit: '/s' },
      against: { what: 'C that only answers', figure: { value: floor.rate, unit: '/s' } },
      goal: { of: 'ratio', is: 'at least', bound: rate },
      more: { 'median us': ours.median, 'C us': floor.median },
    },
    {
      what: `${what}: p99`,
      measured: { value: ours.p99, unit: 'us' },
      against: { what: 'its own mean', figure: { value: ours.mean, unit: 'us' } },
      goal: { of: 'ratio', is: 'at most', bound: 5 },
      more: { 'max us': ours.max, 'C p99 us': floor.p99 },
    },
  ];
}

async function measure(): Promise<Row[]> {
  const [one] = askPeople(1);
  if (!one) throw new Error('no request');
  return [
    ...(await against('users and addresses varied', askPeople(ASKS), 0.5)),
    ...(await against('varied, one in ten refused and logged', askPeople(ASKS, 10), 0.5)),
    ...(await against('same user and address, other recipients', Array(ASKS).fill(one), 0.6)),
  ];
}

export const persistent: Group = { name: 'persistent', measure };
