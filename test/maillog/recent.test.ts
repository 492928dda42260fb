// What is remembered of texts seen lately: never more than the room for it, never anything else than what was kept.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HASH, Packed } from '../../src/maillog/packed';
import { RecentTexts } from '../../src/maillog/recent';
import { newSighting } from '../../src/maillog/sighting';
import { randomFrom } from './random';

/** Sightings of `user address`, packed, and where each of them is. */
function packedOf(texts: readonly string[]): { packed: Packed; starts: number[] } {
  const packed = new Packed(new ArrayBuffer(1 << 16));
  const starts = texts.map((text) => {
    const at = packed.used;
    const bytes = Buffer.from(text);
    const space = bytes.indexOf(' ');
    const place = {
      userStart: 0,
      userEnd: space,
      addressStart: space + 1,
      addressEnd: bytes.length,
    };
    packed.add(bytes, { ...newSighting(), ...place }, 0);
    return at;
  });
  return { packed, starts };
}

test('texts are kept as they are, and told apart', () => {
  const texts = [
    'a 192.0.2.1',
    'b 192.0.2.1',
    'a 192.0.2.11',
    'a1 192.0.2.1',
    'a1 92.0.2.1',
    'ü ::1',
    'u ::1',
    'abcd ::',
    'abc ::d',
  ];
  const { packed, starts } = packedOf(texts);
  assert.deepEqual(
    starts.map((at) => `${packed.userAt(at)} ${packed.addressAt(at)}`),
    texts,
  );
  const recent = new RecentTexts();
  for (const at of starts) assert.equal(recent.find(packed.words, at), 0);
  for (const [i, at] of starts.entries()) recent.keep(packed.words, at, i, 100 + i);
  const found = starts.map((at) => recent.find(packed.words, at));
  assert.deepEqual(
    found.map((entry) => [recent.placeOf(entry), recent.grantOf(entry)]),
    texts.map((_, i) => [i, 100 + i]),
  );
});

test('texts of one hash are told apart by what they are', () => {
  const { packed, starts } = packedOf(['alice 192.0.2.1', 'bobby 192.0.2.1', 'carol 192.0.2.1']);
  for (const at of starts) packed.words[at + HASH] = -7;
  const recent = new RecentTexts();
  const [first = 0, second = 0, third = 0] = starts;
  recent.keep(packed.words, first, 1, 0);
  recent.keep(packed.words, second, 2, 0);
  assert.equal(recent.placeOf(recent.find(packed.words, first)), 1);
  assert.equal(recent.placeOf(recent.find(packed.words, second)), 2);
  assert.equal(recent.find(packed.words, third), 0);
});

test('with more texts than there is room for some are forgotten, and none is mistaken for another', () => {
  const { packed, starts } = packedOf(Array.from({ length: 200 }, (_, i) => `user${i} 192.0.2.${i}`));
  // Of 7 or 8 words each: room for less than 20.
  const recent = new RecentTexts(150);
  const random = randomFrom(4);
  const kept = new Set<number>();
  let [known, forgotten] = [0, 0];
  for (let i = 0; i < 5000; i++) {
    // Mostly among a few, so that there is something to find.
    const number = random.below(10) < 8 ? random.below(12) : random.below(starts.length);
    const at = starts[number] ?? 0;
    const entry = recent.find(packed.words, at);
    if (entry > 0) {
      assert.equal(recent.placeOf(entry), number);
      assert.equal(recent.grantOf(entry), number * 3);
      known++;
      continue;
    }
    if (kept.has(number)) forgotten++;
    recent.keep(packed.words, at, number, number * 3);
    kept.add(number);
    assert.equal(recent.placeOf(recent.find(packed.words, at)), number, 'what was kept last is known');
  }
  assert.ok(known > 1000 && forgotten > 100, `${known} known, ${forgotten} forgotten`);
});
