// Dovecot's line for a successful login, with `learn --dovecot`:
//
//   imap-login: Login: user=<U>, method=M, rip=ADDR, ...        up to 2.3; `Logged in:` from 2.4
//
// Through syslog the head names `dovecot`; in a log file of Dovecot's own it names the login process, and the message begins with `Info: `. `Aborted login`,
// `Login aborted`, `Disconnected` and a login without a user begin otherwise and do not count, whatever name the client gave.
import type { HeadReader } from './head';
import type { Sighting, WhatLine } from './sighting';

/** Only lines with one of these are looked at. */
export const DOVECOT_MARKS = [Buffer.from(': Login: user=<'), Buffer.from(': Logged in: user=<')];
/** The `L`. */
export const RARE_IN_DOVECOT_MARKS = 2;

const LOGGED_IN = /^(?:Login|Logged in): user=<([^<>]+)>, method=[\w-]*, rip=([0-9A-Fa-f:.]+)(?:, |$)/d;
const LONGEST_LOGIN = 2048;

export function readDovecotLine(bytes: Buffer, head: HeadReader, end: number, into: Sighting): WhatLine {
  const tag = bytes.toString('latin1', head.tagStart, head.tagEnd);
  let message = bytes.toString('latin1', head.message, Math.min(end, head.message + LONGEST_LOGIN));
  let at = head.message;
  const skip = (prefix: RegExp): boolean => {
    const length = prefix.exec(message)?.[0].length ?? 0;
    message = message.slice(length);
    at += length;
    return length > 0;
  };
  const ofDovecot = tag === 'dovecot' && skip(/^[a-z0-9]+-login: /);
  const ownFile = /^[a-z0-9]+-login$/.test(tag) && skip(/^Info: /);
  if (!ofDovecot && !ownFile) return 'other';
  const [, user, address] = LOGGED_IN.exec(message)?.indices ?? [];
  if (!user || !address) return /^Log(in|ged in): user=<[^>]/.test(message) ? 'broken' : 'other';
  into.times = 1;
  into.userStart = at + user[0];
  into.userEnd = at + user[1];
  into.addressStart = at + address[0];
  into.addressEnd = at + address[1];
  return 'delivery';
}
