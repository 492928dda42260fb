// When an entry expires, in every form of its time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expiryMoment, formatInstant, parseInstant } from '../../src/rules/meaning';
import { words } from '../rig/spellings';

const READ: [text: string, utc: string][] = [
  ['2026-12-24T18:00:00Z', '2026-12-24T18:00:00Z'],
  ['2026-12-24 18:00:00', '2026-12-24T18:00:00Z'], // datetime() of SQLite
  ['2026-12-24T18:00', '2026-12-24T18:00:00Z'],
  ['2026-12-24', '2026-12-25T00:00:00Z'], // a date alone is its end
  ['2026-12-24t18:00:00z', '2026-12-24T18:00:00Z'],
  ['2026-12-24T18:00:00+01:00', '2026-12-24T17:00:00Z'],
  ['2026-12-24T18:00:00-0530', '2026-12-24T23:30:00Z'],
  ['2026-12-24T00:30:00+01:00', '2026-12-23T23:30:00Z'],
  ['2026-12-24T18:00:00+14:00', '2026-12-24T04:00:00Z'],
  ['2026-12-24T18:00:00.999Z', '2026-12-24T18:00:00Z'],
  ['  2026-12-24T18:00:00Z ', '2026-12-24T18:00:00Z'],
  ['2028-02-29', '2028-03-01T00:00:00Z'],
  ['0000-01-01', '0000-01-02T00:00:00Z'],
  ['9999-12-31T23:59:59Z', '9999-12-31T23:59:59Z'],
];

const NONE = [
  ...words(`never tomorrow 7d 1798135200 2026 2026-12 26-12-24 2026-1-2 2026-00-10 2026-13-01 2026-12-00 2026-12-32
    2026-02-29 2026-02-30 2026-04-31 2100-02-29 2026-12-24T24:00:00Z 2026-12-24T18:60:00Z 2026-12-24T18:00:60Z
    2026-12-24T18 2026-12-24T18:00:00+1 2026-12-24T18:00:00+24:00 2026-12-24T18:00:00-99:99
    2026-12-24T18:00:00-01:60 24.12.2026 12/24/2026 +12026-12-24`),
  ...['', '2026-12-24T18:00:00 UTC', '2026-12-24T18:00:00Z, or later', '2026-12-24T18:00:00\0Z'],
];

describe('the expiry of an entry', () => {
  for (const [text, utc] of READ) {
    test(`${JSON.stringify(text)} is ${utc}`, () => {
      assert.equal(expiryMoment(text), Date.parse(utc));
      assert.equal(formatInstant(expiryMoment(text)), utc);
    });
  }

  for (const text of NONE) {
    test(`${JSON.stringify(text)} is not a time, so it is long past`, () => {
      assert.equal(parseInstant(text), null);
      assert.equal(expiryMoment(text), Number.NEGATIVE_INFINITY);
    });
  }

  test('NULL is never, a value that is not text is long past', () => {
    assert.equal(expiryMoment(null), Number.POSITIVE_INFINITY);
    for (const value of [0, 1798135200, 4e12, Buffer.from('2099-01-01'), true, {}]) {
      assert.equal(expiryMoment(value), Number.NEGATIVE_INFINITY);
    }
  });
});
