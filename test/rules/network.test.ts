// Which texts are networks, how a network is printed, and what it grants where ip-cidr alone is wrong.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { contains, formatNetwork, isCertain, parseAddress, parseNetwork } from '../../src/rules/network';
import { words } from '../rig/spellings';

/** What a row's text grants to an address: the whole way from text to yes or no. */
function grants(text: string, address: string): boolean {
  const network = parseNetwork(text)?.network;
  const at = parseAddress(address);
  return !!network && !!at && contains(network, at) && isCertain(text, network);
}

// Each row: what ip-cidr alone says is the opposite, or throws.
const TRAPS: [network: string, address: string, granted: boolean][] = [
  ['32.1.0.0/16', '2001:db8::1', false],
  ['10.0.0.0/8', '0a00::1', false],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['0.0.0.0/0', '::', false],
  ['::/0', '1.2.3.4', false],
  ['::/0', '0.0.0.0', false],
  ['::/0', '::ffff:1.2.3.4', false],
  ['::/1', '::ffff:1.2.3.4', false],
  ['::ffff:0:0/95', '1.2.3.4', false],
  ['1.2.3.0/24', '2001:db8::1.2.3.4', false],
  ['::ffff:10.0.0.0/104', '10.255.1.2', true],
  ['::ffff:10.0.0.0/104', '11.0.0.0', false],
  ['::ffff:1.2.3.0/120', '1.2.3.255', true],
  ['::ffff:1.2.3.0/120', '1.2.4.0', false],
  ['::ffff:0:0/96', '200.1.2.3', true],
  ['::ffff:0:0/96', '2001:db8::1', false],
  ['10.0.0.0/8', '::ffff:a01:203', true],
  ['10.0.0.0/8', '::ffff:10.1.2.3', true],
  ['::ffff:a01:203', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.3', '10.1.2.4', false],
  ['10.1.2.3/8', '10.200.0.1', true], // host bits in a row written by hand
  ['10.0.0.0/08', '10.1.2.3', true],
  ['2001:db8::/032', '2001:db8::1', true],
  ['10.0.0.0/0', '200.1.2.3', true],
  ['172.31.27.95/32', '172.31.27.95', true],
  ['172.31.27.95/32', '172.31.27.94', false],
  ['2001:DB8:0:0::/32', '2001:db8:ffff::1', true],
  ['2001:db8::1.2.3.0/120', '2001:db8::102:3ff', true],
  ['2001:db8::1.2.3.0/120', '2001:db8::102:400', false],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0', true],
  ['2001:db8::/127', '2001:db8::1', true],
  ['2001:db8::/127', '2001:db8::2', false],
  ['::/0', '2001:db8::1', true],
  ['::/0', '::', true],
  ['0.0.0.0/0', '255.255.255.255', true],
];

const NONE = [
  ...words(`/ /8 10.0.0.0/ 10.0.0.0/33 10.0.0.0/-1 10.0.0.0/+8 10.0.0.0/8.0 10.0.0.0/8/8 10.0.0.0//8 10.0.0.0/008
    2001:db8::/0032 10.0.0.0/0x8 10.0.0.0/1e1 10.0.0.0/255.0.0.0 10.0.0.0/* 10.0.0.0/８ 10/8 10.0.0/8 10.*
    10.0.0.0-10.0.0.9 10.0.0.0,10.1.0.0 010.0.0.0/8 0x0a.0.0.0/8 2001:db8::/129 2001:db8::%eth0/64
    ::ffff:10.0.0.0/129 [2001:db8::]/32 any @office localhost unknown`),
  ...['', '10.0.0.0/ 8', '10.0.0.0 /8', '10.0.0.0/8 192.168.0.0/16'],
];

const CANONICAL: [text: string, canonical: string, hostBits: boolean][] = [
  ['10.1.2.3/8', '10.0.0.0/8', true],
  ['10.1.2.3', '10.1.2.3/32', false],
  ['10.0.0.0/08', '10.0.0.0/8', false],
  [' 10.0.0.0/8\n', '10.0.0.0/8', false],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8', false],
  ['::ffff:10.1.2.3/104', '10.0.0.0/8', true],
  ['::ffff:0:0/96', '0.0.0.0/0', false],
  ['::ffff:0:0/95', '::fffe:0:0/95', true],
  ['::ffff:1.2.3.4', '1.2.3.4/32', false],
  ['2001:DB8:0:0:0::/32', '2001:db8::/32', false],
  ['2001:db8::1/32', '2001:db8::/32', true],
  ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1/128', false],
  ['::', '::/128', false],
  ['0.0.0.0', '0.0.0.0/32', false],
  ['255.255.255.255/1', '128.0.0.0/1', true],
];

describe('a network', () => {
  for (const [network, address, granted] of TRAPS) {
    test(`${network} ${granted ? 'contains' : 'does not contain'} ${address}`, () => {
      assert.ok(parseNetwork(network));
      assert.ok(parseAddress(address));
      assert.equal(grants(network, address), granted);
    });
  }

  for (const text of NONE)
    test(`${JSON.stringify(text)} is not a network`, () => assert.equal(parseNetwork(text), null));

  for (const [text, canonical, hostBits] of CANONICAL) {
    test(`${JSON.stringify(text)} is ${canonical}${hostBits ? ' with host bits' : ''}`, () => {
      const parsed = parseNetwork(text);
      assert.ok(parsed);
      assert.equal(formatNetwork(parsed.network), canonical);
      assert.equal(parsed.hostBits, hostBits);
    });
  }
});
