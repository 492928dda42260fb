// The policy program by hand: `printf ... | node bin/allow-nets.js`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDatabase } from '../rig/database';
import { runByHand } from '../rig/policy-program';

const db = newDatabase([{ name: 'test1', network: '127.0.0.1/32' }]);
const ALLOWED = 'sasl_username=test1\nclient_address=127.0.0.1\n\n';
const REFUSED = 'sasl_username=te{user}st\xff2\nclient_address=192.0.2.1\n\n';

test('the reply to a refusal is one line of printable ASCII of at most 400 bytes', () => {
  for (const [user, address, text, reply] of [
    ['bob', '192.0.2.1', 'no', 'no'],
    ['bob', '192.0.2.1', '{User} {} {nonsense} %s $user', '{User} {} {nonsense} %s $user'],
    ['{address}', '{user}', '{user} {address} {user}', '{address} {user} {address}'],
    ['$&', '$1', '{user} {address} $& $1 %s', '$& $1 $& $1 %s'],
    ['b\rob\0\x7f', '\x1b[31m', '{user} {address}', 'b?ob?? ?[31m'],
    ['jos\xc3\xa9\xf0\x9f\x98\x80\xff', '', 'Grüße\nvon {user}', 'Gr??e?von jos???'],
    ['bob', '', '{user} may not send mail from {address}', 'bob may not send mail from'],
    ['bob', '', 'x'.repeat(1000), 'x'.repeat(380)],
    ['b'.repeat(65000), '', '{user}', 'b'.repeat(380)],
    ['bob', '', ' '.repeat(500), ''],
  ] as const) {
    const input = `sasl_username=${user}\nclient_address=${address}\n\n`;
    const { stdout, status } = runByHand(['--db', db, '--reject-text', text], input);
    assert.deepEqual([stdout, status], [`${`action=reject 5.7.1 ${reply}`.trimEnd()}\n\n`, 0]);
  }
});

test('answers come on standard output, and nothing on standard error', () => {
  const input = `\n${ALLOWED}${REFUSED}`;
  const reject = 'action=reject 5.7.1 te{user}st?2 may not send mail from 192.0.2.1\n\n';
  assert.deepEqual(runByHand(['--db', db, '--persistent', '--log', 'all'], input), {
    stdout: `action=dunno\n\naction=dunno\n\n${reject}`,
    stderr: '',
    status: 0,
    log: [
      'info: verdict=dunno user= address= reason=no-user',
      'info: verdict=dunno user=test1 address=127.0.0.1 subject=test1 entry=127.0.0.1/32 request.sasl_username=test1 request.client_address=127.0.0.1',
      'info: verdict=reject user="te{user}st\\ufffd2" address=192.0.2.1 subject= entry= reason=no-entry request.sasl_username="te{user}st\\ufffd2" request.client_address=192.0.2.1',
    ],
  });
});
