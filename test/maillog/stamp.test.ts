// Time stamps: which moment they mean, with and without a year and a zone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { STAMP, StampReader } from '../../src/maillog/stamp';

const NOON = '2026-11-24T12:00:00Z';

/** In Europe/Berlin: the latest moment, the stamp, the moment it means in UTC, or null. */
// biome-ignore format: a table
const STAMPS: readonly [latest: string, stamp: string, moment: string | null][] = [
  // Without a year: the last one in which it is not in the future.
  [NOON, 'Nov  4 05:47:54', '2026-11-04T04:47:54Z'],
  [NOON, 'Nov 04 05:47:54', '2026-11-04T04:47:54Z'],
  [NOON, 'Nov 4 05:47:54', '2026-11-04T04:47:54Z'],
  [NOON, 'Nov  4 05:47:54.999', '2026-11-04T04:47:54Z'],
  [NOON, 'Nov 24 13:00:00', '2026-11-24T12:00:00Z'],
  [NOON, 'Nov 24 13:00:01', '2025-11-24T12:00:01Z'],
  [NOON, 'Nov 24 14:00:00', '2025-11-24T13:00:00Z'],
  [NOON, 'Dec 31 23:59:60', '2025-12-31T23:00:00Z'],
  [NOON, 'Jul  1 12:00:00', '2026-07-01T10:00:00Z'],
  ['2026-12-31T23:30:00Z', 'Jan  1 00:10:00', '2026-12-31T23:10:00Z'],
  ['2026-12-31T23:30:00Z', 'Jan  1 00:40:00', '2025-12-31T23:40:00Z'],
  // A leap day, and the years back to it.
  [NOON, 'Feb 29 10:00:00', '2024-02-29T09:00:00Z'],
  ['2024-02-29T08:59:59Z', 'Feb 29 10:00:00', '2020-02-29T09:00:00Z'],
  ['2104-02-29T08:00:00Z', 'Feb 29 10:00:00', '2096-02-29T09:00:00Z'],
  [NOON, 'Feb 30 10:00:00', null],
  // With a year and a zone, or local time.
  [NOON, '2026-11-04T05:47:54Z', '2026-11-04T05:47:54Z'],
  [NOON, '2026-11-04t05:47:54z', '2026-11-04T05:47:54Z'],
  [NOON, '2026-11-04T05:47:54.123456789Z', '2026-11-04T05:47:54Z'],
  [NOON, '2026-11-04T05:47:54,123+01:00', '2026-11-04T04:47:54Z'],
  [NOON, '2026-11-04T05:47:54+0530', '2026-11-04T00:17:54Z'],
  [NOON, '2026-11-04T05:47:54-02', '2026-11-04T07:47:54Z'],
  [NOON, '2026-11-04T05:47:54', '2026-11-04T04:47:54Z'],
  [NOON, '2026-11-04 05:47:54', '2026-11-04T04:47:54Z'],
  [NOON, '2026-07-04 05:47:54', '2026-07-04T03:47:54Z'],
  // An absolute time is believed.
  [NOON, '2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  // None.
  ...['nov  4 05:47:54', 'Nov  4 05:47', 'Nov  4 24:00:00', 'Nov  4 05:60:00', 'Nov  4 05:00:61', 'Nov  0 05:00:00',
    'Nov x4 05:00:00', '2026-13-01T00:00:00Z', '2026-1-01T00:00:00Z', '2026-11-04_05:47:54', '2026-11-04T5:47:54', '',
  ].map((stamp) => [NOON, stamp, null] as [string, string, null]),
];

const zone = process.env['TZ'];
before(() => {
  process.env['TZ'] = 'Europe/Berlin';
});
after(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const WHOLE = new RegExp(`^${STAMP}$`);

function momentOf(reader: StampReader, stamp: string): string | null {
  const [, hour, minute, second, zone] = WHOLE.exec(stamp) ?? [];
  if (hour === undefined || minute === undefined || second === undefined) return null;
  const seconds = reader.read(hour, minute, second, zone);
  return seconds === null ? null : new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

test('a time stamp', async (t) => {
  for (const [latest, stamp, moment] of STAMPS) {
    await t.test(`${stamp}, at ${latest}`, () => {
      assert.equal(momentOf(new StampReader(Date.parse(latest) / 1000), stamp), moment);
    });
  }
});

test('one reader for stamps of all kinds, in any order', () => {
  const rows = STAMPS.filter(([latest]) => latest === NOON);
  const reader = new StampReader(Date.parse(NOON) / 1000);
  for (const row of [...rows, ...[...rows].reverse(), ...rows]) {
    const [, stamp, moment] = row;
    assert.equal(momentOf(reader, stamp), moment, stamp);
  }
});
