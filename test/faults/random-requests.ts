// Random policy requests: well-formed ones from a grammar, and mutants of those. One character is one byte.
import { oneOf, type Pick, seededPick } from '../rig/random';
import { randomBits, spellAddress } from '../rig/spellings';

// biome-ignore format: lists of words
const ATTRIBUTES = [
  'protocol_state', 'protocol_name', 'client_name', 'helo_name', 'queue_id', 'sender', 'recipient', 'recipient_count',
  'instance', 'size', 'sasl_method', 'sasl_sender', 'stress', '', 'x', 'SASL_USERNAME', 'sasl_usernam',
  'client_addres', 'reques', ' sasl_username',
];
// biome-ignore format: a list of words
const USERS = [
  'bob', 'Bob@Example.com', 'alice@example.com', 'jos\xc3\xa9@example.com', '@example.com', '*', "x' or 1=1 --",
];
// biome-ignore format: a list of words
const BAD_USERS = [
  '', '\xff', 'bob\xc3', '\xed\xa0\x80@example.com', 'bob\0', 'bob\r', '\xef\xbb\xbfbob', '\xef\xbf\xbd', 'b=o=b',
];
const ADDRESSES = ['10.1.2.3', '192.0.2.1', '::ffff:10.1.2.3', '2001:db8::1'];
const BAD_ADDRESSES = ['unknown', '', '10.1.2.3%eth0', '10.0.0.0/8', '010.1.2.3', 'any', '\xff'];

/** One byte in ten is of any kind, the others are printable; no newline. */
const anyByte = seededPick(1);
const NOISE = Array.from({ length: 10_000 }, () =>
  String.fromCharCode(anyByte(10) === 0 ? anyByte(256) : 32 + anyByte(95)),
)
  .join('')
  .replaceAll('\n', '');

function randomText(pick: Pick): string {
  const start = pick(NOISE.length);
  return NOISE.slice(start, start + oneOf(pick, [0, 1, 5, 20, pick(300)]));
}

/** Attribute lines and an empty line, mostly what Postfix sends. */
function randomRequest(pick: Pick): string {
  const user = pick(4) > 0 ? oneOf(pick, USERS) : oneOf(pick, BAD_USERS);
  const good = () => oneOf(pick, [...ADDRESSES, spellAddress(randomBits(pick), pick)]);
  const address = pick(4) > 0 ? good() : oneOf(pick, BAD_ADDRESSES);
  const lines = [`sasl_username=${user}`, `client_address=${address}`];
  const insert = (...more: string[]) => lines.splice(pick(lines.length + 1), 0, ...more);
  if (pick(10) > 0) lines.push('request=smtpd_access_policy');
  for (let count = pick(25); count > 0; count--) insert(`${oneOf(pick, ATTRIBUTES)}=${randomText(pick)}`);
  // Missing and repeated attributes.
  if (pick(6) === 0) lines.splice(pick(lines.length), 1);
  if (pick(6) === 0) insert(`sasl_username=${oneOf(pick, USERS)}`);
  if (pick(6) === 0) insert(`client_address=${oneOf(pick, ADDRESSES)}`);
  if (pick(200) === 0) insert(...Array(oneOf(pick, [100, 5000, 10_000])).fill('a=b'));
  if (pick(200) === 0) insert(`x=${'y'.repeat(64_000 + pick(3000))}`);
  const end = pick(8) === 0 ? '\r\n' : '\n';
  return [...lines, ''].map((line) => `${line}${end}`).join('');
}

const BYTES = [...'\n\n\n\r\0=== \xff\x80az'];
// biome-ignore format: a list of words
const PARTS = [
  '\n\n', '\r\n', '\r\r\n', 'sasl_username=', 'client_address=', 'request=junk\n', 'action=ok\n\n', 'no equals\n',
];

/** A few bytes inserted, removed, changed or repeated, or the end cut off. */
function mutate(text: string, pick: Pick): string {
  let result = text;
  for (let count = 1 + pick(3); count > 0; count--) {
    const at = pick(result.length + 1);
    const before = result.slice(0, at);
    const after = result.slice(at);
    const mutants = [
      () => before + oneOf(pick, BYTES) + after,
      () => before + after.slice(1 + pick(4)),
      () => before + oneOf(pick, BYTES) + after.slice(1),
      () => before + oneOf(pick, PARTS) + after,
      () => before + after.slice(0, pick(40)) + after,
      () => (pick(4) === 0 ? before : before + String.fromCharCode(pick(256)) + after),
    ];
    result = oneOf(pick, mutants)();
  }
  return result;
}

/** What one connection sends: up to `most` requests, some of them mutants, or plain noise. */
export function randomStream(pick: Pick, most: number): Buffer {
  if (pick(50) === 0) return Buffer.from(Array.from({ length: pick(2000) }, () => pick(256)));
  const one = () => (pick(4) === 0 ? mutate(randomRequest(pick), pick) : randomRequest(pick));
  return Buffer.from(Array.from({ length: 1 + pick(most) }, one).join(''), 'latin1');
}
