// Which texts are addresses, and how an address is printed.
import assert from 'node:assert/strict';
import * as net from 'node:net';
import { describe, test } from 'node:test';
import { formatAddress, parseAddress } from '../../src/rules/network';
import { words } from '../rig/spellings';

const READ: [text: string, canonical: string][] = [
  ['0.0.0.0', '0.0.0.0'],
  ['127.0.0.1', '127.0.0.1'],
  ['255.255.255.255', '255.255.255.255'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:DB8::ABCD', '2001:db8::abcd'],
  ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['2001:db8::1.2.3.4', '2001:db8::102:304'],
  ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
  ['::1.2.3.4', '::102:304'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  // IPv4-mapped, in both spellings, is its IPv4 address.
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:0a01:0203', '10.1.2.3'],
  ['::ffff:a01:203', '10.1.2.3'],
  ['0:0:0:0:0:ffff:1.2.3.4', '1.2.3.4'],
  ['::ffff:0:0', '0.0.0.0'],
  // One bit beside the mapped range is not.
  ['::fffe:1.2.3.4', '::fffe:102:304'],
  ['::1:ffff:1.2.3.4', '::1:ffff:102:304'],
  ['ffff::1.2.3.4', 'ffff::102:304'],
];

const NONE = [
  ...words(`unknown localhost 1.2.3 1.2.3.4.5 1.2.3. .1.2.3 1..2.3 1.2.3.4. 1.2.3.256 1.2.3.-4 1.2.3.+4 01.2.3.4 1.2.3.04
    00.0.0.0 0x7f.0.0.1 0x7f000001 2130706433 127.1 1.2.3.4/32 1.2.3.4:25 [1.2.3.4] 1,2,3,4 １.2.3.4 ١.2.3.4
    : ::: :1 1: ::1:: 1:::2 1::2::3 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7:8:: ::1:2:3:4:5:6:7:8
    1:2:3:4::5:6:7:8 1:2:3:4:5:6:7:1.2.3.4 ::12345 ::g ::1%eth0 fe80::1%1 fe80::1/64 [::1] IPv6:::1 ::1.2.3
    ::1.2.3.4.5 ::.1.2.3 ::1.2.3.4:5 1.2.3.4:: ::01.2.3.4 ::ffff:1.2.3.256 ::\u0661`),
  ...['', ' ', ' 1.2.3.4', '1.2.3.4 ', '1.2.3.4\r', '1.2.3.4\0', '::1 ', '::1\0'],
];

describe('an address', () => {
  for (const [text, canonical] of READ) {
    test(`${text} is ${canonical}`, () => {
      const address = parseAddress(text);
      assert.ok(address, 'not read');
      assert.equal(formatAddress(address), canonical);
      assert.equal(address.bytes.length, address.family === 4 ? 4 : 16);
      const again = parseAddress(canonical);
      assert.deepEqual({ ...again, bytes: [...(again?.bytes ?? [])] }, { ...address, bytes: [...address.bytes] });
    });
  }

  for (const text of NONE)
    test(`${JSON.stringify(text)} is not an address`, () => assert.equal(parseAddress(text), null));

  test("these tables agree with Node's own reader, but for zones", () => {
    for (const [text] of READ) assert.notEqual(net.isIP(text), 0, text);
    for (const text of NONE) if (!text.includes('%')) assert.equal(net.isIP(text), 0, text);
  });
});
