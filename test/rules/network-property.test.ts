// Random networks of both families in random spellings: what they mean is known from the bits that they were spelled from. faults/lookup
// compares what they contain with net.BlockList.
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { test } from 'node:test';
import {
  formatAddress,
  formatNetwork,
  isCertain,
  networksAround,
  parseAddress,
  parseNetwork,
} from '../../src/rules/network';
import { forRandom, type Pick } from '../rig/random';
import { type Block, masked, plainText, randomBits, spellBlock } from '../rig/spellings';

const RUNS = process.env['SOAK'] === '1' ? 500_000 : 1_500;

function randomBlock(pick: Pick): Block {
  const bits = randomBits(pick);
  return { ...bits, prefix: pick(bits.bytes.length * 8 + 1) };
}

test('every spelling of a network is read as that network, and ip-cidr agrees', () => {
  forRandom(RUNS, (pick) => {
    const block = randomBlock(pick);
    const text = spellBlock(block, pick);
    const network = parseNetwork(text)?.network;
    assert.ok(network, `${JSON.stringify(text)} is not read`);
    assert.deepEqual(
      { family: network.family, prefix: network.prefix, bytes: [...network.bytes] },
      masked(block),
      JSON.stringify(text),
    );
    assert.ok(isCertain(text, network), `${JSON.stringify(text)} grants nothing`);
    assert.equal(formatNetwork(parseNetwork(formatNetwork(network))?.network ?? network), formatNetwork(network));
  });
});

test('the networks around an address are those of each prefix length, as they are stored', () => {
  forRandom(RUNS / 10, (pick) => {
    const bits = randomBits(pick);
    const address = parseAddress(plainText(bits));
    assert.ok(address);
    const longest = bits.bytes.length * 8;
    const canonical = Array.from({ length: longest + 1 }, (_, i) => {
      const network = parseNetwork(`${plainText(bits)}/${longest - i}`)?.network;
      return network && formatNetwork(network);
    });
    assert.deepEqual(networksAround(address), canonical);
  });
});

test('an IPv6 address is formatted as a URL spells it (RFC 5952)', () => {
  forRandom(RUNS, (pick) => {
    // Zero groups are frequent.
    const groups = Array.from({ length: 8 }, () => (pick(3) > 0 ? 0 : pick(0x10000)));
    const bytes = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
    const spelled = groups.map((group) => group.toString(16)).join(':');
    assert.equal(`[${formatAddress({ family: 6, bytes })}]`, new URL(`http://[${spelled}]`).hostname);
  });
});

test('a mutated text is read when Node reads its address too, and not otherwise', () => {
  let read = 0;
  forRandom(RUNS, (pick) => {
    const text = mutated(spellBlock(randomBlock(pick), pick), pick);
    const [address = '', prefix, ...more] = text.trim().split('/');
    const family = address.includes('%') ? 0 : net.isIP(address);
    const digits = family === 4 ? /^\d{1,2}$/ : /^\d{1,3}$/;
    const fits = prefix === undefined || (digits.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
    const expected = family !== 0 && fits && more.length === 0;
    assert.equal(parseNetwork(text) !== null, expected, JSON.stringify(text));
    if (expected) read++;
  });
  assert.ok(read > RUNS / 20 && read < RUNS * 0.95, `${read} of ${RUNS} read: the cases say too little`);
});

const CHARACTERS = '0123456789abcfFg:::.../%- \t\0\u0661\uff11';

function mutated(text: string, pick: Pick): string {
  const characters = [...text];
  for (let count = 1 + pick(2); count > 0; count--) {
    const character = CHARACTERS[pick(CHARACTERS.length)] ?? '';
    characters.splice(pick(characters.length + 1), pick(2), ...(pick(3) > 0 ? [character] : []));
  }
  return characters.join('');
}
