// Numbers of texts: the same texts have the same number as long as they are remembered, others another; and no more is kept than there is room
// for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressAt, HASH, Packed, sizeOfTexts, TEXTS, userAt } from '../../src/maillog/packed';
import { newSighting } from '../../src/maillog/sighting';
import { TextNumbers } from '../../src/maillog/text-numbers';
import { randomFrom } from './random';

/** Texts of `user address`, packed, and where each of them is. */
function packedOf(texts: readonly string[]): { packed: Packed; words: Int32Array; starts: number[] } {
  const packed = new Packed(1 << 16);
  const starts = texts.map((text) => {
    const at = packed.used + TEXTS;
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
  assert.equal(packed.sightings, texts.length);
  return { packed, words: packed.words, starts };
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
  const { packed, words, starts } = packedOf(texts);
  assert.deepEqual(
    starts.map((at) => `${userAt(packed, at)} ${addressAt(packed, at)}`),
    texts,
  );
  const numbers = new TextNumbers();
  for (const again of [false, true]) {
    assert.equal(numbers.size, again ? texts.length : 0);
    assert.deepEqual(
      starts.map((at) => numbers.numberOf(words, at)),
      texts.map((_, i) => i),
    );
  }
});

test('texts of one hash are told apart by what they are', () => {
  const { words, starts } = packedOf(['alice 192.0.2.1', 'bobby 192.0.2.1', 'carol 192.0.2.1']);
  for (const at of starts) words[at + HASH] = -7;
  const numbers = new TextNumbers();
  assert.deepEqual(
    [...starts, ...starts.reverse()].map((at) => numbers.numberOf(words, at)),
    [0, 1, 2, 2, 1, 0],
  );
});

test('with more texts than there is room for some are forgotten, and none is mistaken for another', () => {
  const { words, starts } = packedOf(Array.from({ length: 200 }, (_, i) => `user${i} 192.0.2.${i}`));
  // Of 7 or 8 words each: room for less than 23.
  const numbers = new TextNumbers(160);
  const random = randomFrom(4);
  let named: number[] = [];
  let [known, forgotten] = [0, 0];
  for (let i = 0; i < 5000; i++) {
    // Mostly among a few, so that there is something to find.
    const text = random.below(10) < 8 ? random.below(12) : random.below(starts.length);
    const at = starts[text] ?? 0;
    numbers.makeRoom(sizeOfTexts(words[at + 1] as number));
    if (numbers.size === 0) {
      if (named.includes(text)) forgotten++;
      named = [];
    }
    assert.ok(numbers.size === named.length && numbers.size < 23);
    const number = numbers.numberOf(words, at);
    if (number < named.length) known++;
    else named.push(text);
    assert.equal(named[number], text);
  }
  assert.ok(known > 1000 && forgotten > 50, `${known} known, ${forgotten} forgotten`);
});
