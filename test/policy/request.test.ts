// What the program reads from the bytes of a connection; faults/requests compares random ones with an oracle.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { describe, test } from 'node:test';
import { Trouble } from '../../src/failure';
import { REQUEST_LIMIT, RequestReader } from '../../src/policy/protocol';
import { makeFolder, newFile } from '../rig/scratch';

/** What `read` makes of a reader of these bytes. */
function withReader<T>(input: string, read: (reader: RequestReader) => T): T {
  const descriptor = fs.openSync(newFile(Buffer.from(input, 'latin1')), 'r');
  try {
    return read(new RequestReader(descriptor));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Each request as `user|address`, a broken one as its problem. */
function requestsOf(reader: RequestReader): string[] {
  const found: string[] = [];
  try {
    for (let next = reader.next(); next !== null; next = reader.next()) found.push(`${next.user}|${next.address}`);
    assert.equal(reader.next(), null, 'the end stays the end');
  } catch (error) {
    assert.ok(error instanceof Trouble && error.failure.kind === 'request', `${error}`);
    found.push(`broken: ${error.failure.problem.replace('policy request not understood: ', '')}`);
  }
  return found;
}

const USER = 'sasl_username=bob\n';
const FROM = 'client_address=192.0.2.1\n';
const NO_EQUALS = 'broken: a line without "="';
const ENDED = 'broken: the input ended inside a request';
const LONG = `broken: a request of more than ${REQUEST_LIMIT} bytes`;
const fill = (size: number) => `x=${'y'.repeat(size - 3)}\n`;

const CASES: [name: string, input: string, found: string[]][] = [
  ['nothing', '', []],
  ['an empty line', '\n', ['|']],
  ['an empty line with CR', '\r\n', ['|']],
  ['three empty lines', '\n\r\n\n', ['|', '|', '|']],
  ['both attributes', `${USER}${FROM}\n`, ['bob|192.0.2.1']],
  ['in the other order', `${FROM}${USER}\n`, ['bob|192.0.2.1']],
  ['CR before each LF', `${USER}${FROM}\n`.replaceAll('\n', '\r\n'), ['bob|192.0.2.1']],
  ['only one CR is dropped', 'sasl_username=bob\r\r\n\n', ['bob\r|']],
  ['a CR inside a value stays', 'sasl_username=b\rob\n\n', ['b\rob|']],
  ['a CR alone is no line end', `sasl_username=bob\rclient_address=x\n\n`, ['bob\rclient_address=x|']],
  ['a value with =', 'sasl_username=a=b==c\n\n', ['a=b==c|']],
  ['a value that looks like an attribute', 'sasl_username=client_address=::1\n\n', ['client_address=::1|']],
  ['spaces are part of names and values', ' sasl_username=x\nsasl_username = y\nsasl_username= z \n\n', [' z |']],
  ['names are told apart by case', 'SASL_USERNAME=x\nSasl_Username=y\n\n', ['|']],
  ['names that only begin alike', 'sasl_usernames=x\nclient_address_=y\nrequest_=z\n\n', ['|']],
  ['names that stand in values', 'a=sasl_username=x\nb=request=junk\n\n', ['|']],
  ['the first of two counts', `${USER}sasl_username=eve\n${FROM}client_address=::1\n\n`, ['bob|192.0.2.1']],
  ['the first counts when it is empty', `sasl_username=\n${USER}client_address=\n${FROM}\n`, ['|']],
  ['the first request counts', `request=smtpd_access_policy\nrequest=junk\n${USER}\n`, ['bob|']],
  ['an unknown request', `request=junk\n\n`, ['broken: "request" is not smtpd_access_policy']],
  ['a request in capitals', `request=SMTPD_ACCESS_POLICY\n\n`, ['broken: "request" is not smtpd_access_policy']],
  ['a line without =', `${USER}junk\n\n`, [NO_EQUALS]],
  ['two CR are no empty line', '\r\r\n\n', [NO_EQUALS]],
  ['= only', '=\n==\n\n', ['|']],
  ['UTF-8', 'sasl_username=jos\xc3\xa9\n\n', ['jos\u00e9|']],
  ['U+FFFD that was sent', 'sasl_username=\xef\xbf\xbd\n\n', ['\ufffd|']],
  ['Latin-1', 'sasl_username=jos\xe9\n\n', ['jos\ufffd|']],
  ['a byte order mark is a character', 'sasl_username=\xef\xbb\xbfbob\n\n', ['\ufeffbob|']],
  ['NUL and bytes that are not UTF-8 elsewhere', `helo_name=\0\x80\xff\n${USER}\n`, ['bob|']],
  ['10,000 attributes', `${'a=b\n'.repeat(10_000)}${USER}\n`, ['bob|']],
  ['NUL in a value', 'sasl_username=bob\0\nclient_address=::1\0\n\n', ['bob\0|::1\0']],
  ['no end', USER, [ENDED]],
  ['one and no end', `${USER}\n${USER}`, ['bob|', ENDED]],
  ['one and a bad one', `${USER}\njunk\n\n${USER}\n`, ['bob|', NO_EQUALS]],
  ['as long as may be', `${USER}${fill(REQUEST_LIMIT - USER.length - 1)}\n`, ['bob|']],
  ['one byte longer', `${USER}${fill(REQUEST_LIMIT - USER.length)}\n`, [LONG]],
  ['no end, one byte longer', fill(REQUEST_LIMIT + 1), [LONG]],
  ['three of half the length', `${USER}${fill(40_000)}\n`.repeat(3), ['bob|', 'bob|', 'bob|']],
  ['a long one after a short one', `${USER}\n${fill(REQUEST_LIMIT - 1)}\n${USER}\n`, ['bob|', '|', 'bob|']],
  ['too long a one after a short one', `${USER}\n${fill(REQUEST_LIMIT)}\n${USER}\n`, ['bob|', LONG]],
];

describe('the reader of requests', () => {
  for (const [name, input, found] of CASES) {
    test(name, () => assert.deepEqual(withReader(input, requestsOf), found));
  }

  test('keeps the attributes for the log', () => {
    const attributes = withReader('a=\xc3\xa9\r\nb=\0\n\n', (reader) => reader.next()?.attributes);
    assert.deepEqual(attributes, new Map(Object.entries({ a: '\xe9', b: '\0' })));
  });

  test('input that cannot be read is a broken request', () => {
    const folder = fs.openSync(makeFolder(), 'r');
    assert.throws(() => new RequestReader(folder).next(), { message: /the input cannot be read \(EISDIR/ });
    fs.closeSync(folder);
    assert.throws(() => new RequestReader(folder).next(), { message: /the input cannot be read \(EBADF/ });
  });
});
