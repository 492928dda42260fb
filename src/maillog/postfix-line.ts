// The one line by which Postfix says that it took a message from an authenticated user:
//
//   QID: client=NAME[ADDR][:PORT], sasl_method=M, sasl_username=U[, sasl_sender=S][, orig_queue_id=Q][, orig_client=C]
//
// U is whatever the client logged in as: it may hold spaces, commas, even `, sasl_sender=`. All before it is Postfix's own text and is matched from the
// first byte on; what follows it is matched from the end of the line. Failed logins, `reject:`, `milter-reject:` and warnings name users too,
// in messages that begin otherwise: they are another kind of line, whatever they hold further right.
// (src/smtpd/smtpd.c, where the queue file is opened; the queue ID: postconf(5), enable_long_queue_ids.)
import type { HeadReader } from './head';
import { startsWith } from './head';
import type { Sighting, WhatLine } from './sighting';

/** Only the lines looked for hold this, and text of clients that looks like it. */
export const POSTFIX_MARK = Buffer.from(', sasl_method=');
export const RARE_IN_POSTFIX_MARK = POSTFIX_MARK.indexOf('_');

const SMTPD = Buffer.from('smtpd');
const CLIENT = Buffer.from(': client=');
const USER = Buffer.from(', sasl_username=');
const REPEATED = Buffer.from('message repeated ');
const SPACE = 32;
const COMMA = 44;
const SLASH = 47;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const DELETE = 127;
const LONGEST_USER = 1024;

/** Words that a byte may be part of, and for each byte those that it may be. */
const HEX = 1;
const LONG_ID = 2;
const HOST_NAME = 4;
const METHOD = 8;
const KINDS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  const kind = (pattern: RegExp, which: number) => (pattern.test(character) ? which : 0);
  return (
    kind(/[0-9A-F]/, HEX) |
    kind(/[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]/, LONG_ID) |
    kind(/[\w.-]/, HOST_NAME) |
    kind(/[\w-]/, METHOD)
  );
});

/** Reads the message behind a head into `into`. `broken`: it began as the line looked for and did not go on like it. */
export function readPostfixLine(bytes: Buffer, head: HeadReader, end: number, into: Sighting): WhatLine {
  if (!head.hasPid || !isSmtpd(bytes, head.tagStart, head.tagEnd)) return 'other';
  let at = head.message;
  let last = end;
  into.times = 1;
  if (startsWith(bytes, at, end, REPEATED)) {
    // rsyslog's $RepeatedMsgReduction, on by default in Ubuntu, folds the NOQUEUE lines of one session.
    const found = /^message repeated (\d{1,6}) times: \[ /.exec(
      bytes.toString('latin1', at, Math.min(at + 40, end)),
    );
    if (found === null || bytes[end - 1] !== CLOSE) return 'other';
    into.times = Number(found[1]);
    at += found[0].length;
    last--;
  }
  at = queueIdEnd(bytes, at, last);
  if (at < 0 || !startsWith(bytes, at, last, CLIENT)) return 'other';
  at = clientEnd(bytes, at + CLIENT.length, last, into);
  if (at < 0 || !startsWith(bytes, at, last, POSTFIX_MARK)) return 'broken';
  const method = at + POSTFIX_MARK.length;
  at = method;
  while (at < last && isOf(METHOD, bytes[at])) at++;
  if (at === method || !startsWith(bytes, at, last, USER)) return 'broken';
  return readUser(bytes, at + USER.length, last, into);
}

/** `postfix/smtpd`, `postfix/submission/smtpd`, any syslog_name before it, or none. */
function isSmtpd(bytes: Buffer, from: number, to: number): boolean {
  const name = to - SMTPD.length;
  return name >= from && (name === from || bytes[name - 1] === SLASH) && startsWith(bytes, name, to, SMTPD);
}

/** Behind `NOQUEUE`, upper-case hexadecimal, or a long queue ID (digits and consonants); -1 for any other word. */
function queueIdEnd(bytes: Buffer, at: number, end: number): number {
  let to = at;
  let kinds = HEX | LONG_ID;
  for (; to < end && bytes[to] !== COLON; to++) {
    kinds &= KINDS[bytes[to] as number] as number;
    if (kinds === 0 && to - at > 6) return -1;
  }
  if (kinds !== 0 && to - at >= 5) return to;
  return bytes.toString('latin1', at, to) === 'NOQUEUE' ? to : -1;
}

/** Reads `NAME[ADDR]` or `NAME[ADDR]:PORT` and sets where ADDR is. Behind it, or -1. */
function clientEnd(bytes: Buffer, from: number, end: number, into: Sighting): number {
  let at = from;
  while (at < end && isOf(HOST_NAME, bytes[at])) at++;
  if (at === from || bytes[at] !== OPEN) return -1;
  into.addressStart = at + 1;
  while (at < end && bytes[at] !== CLOSE && bytes[at] !== SPACE) at++;
  if (bytes[at] !== CLOSE) return -1;
  into.addressEnd = at++;
  if (bytes[at] !== COLON) return at;
  const port = ++at;
  while (at < end && (bytes[at] ?? 0) >= 48 && (bytes[at] ?? 0) <= 57) at++;
  return at === port ? -1 : at;
}

function isOf(kind: number, byte: number | undefined): boolean {
  return ((KINDS[byte as number] as number) & kind) !== 0;
}

function readUser(bytes: Buffer, from: number, end: number, into: Sighting): WhatLine {
  let plain = true;
  for (let i = from; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < SPACE || byte === DELETE) return 'broken';
    if (byte === COMMA) plain = false;
  }
  into.userStart = from;
  into.userEnd = plain ? end : userEnd(bytes, from, end);
  if (into.userEnd === from) return 'other';
  return into.userEnd < 0 || into.userEnd - from > LONGEST_USER ? 'broken' : 'delivery';
}

/** Where the user name ends in a line that goes on, or seems to; -1 when a second log line hangs on to this one. */
function userEnd(bytes: Buffer, from: number, end: number): number {
  const text = bytes.toString('latin1', from, end);
  // The end of this line and the line break were lost, as after a power failure.
  if (/smtpd\[\d+\]: /.test(text)) return -1;
  const user = text
    .replace(/, orig_client=[\w.-]+\[[^\s[\]]+\](:\d+)?$/, '')
    .replace(/, orig_queue_id=[0-9A-Za-z]+$/, '')
    .replace(/, sasl_sender=[^ ]+$/, '');
  return from + user.length;
}
