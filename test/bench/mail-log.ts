// A mail log as a submission server writes it, of any size: 64 MB again and again, so that it is made as fast as a disk takes it. One line
// in seven is a delivery.
import { closeSync, openSync, writeSync } from 'node:fs';
import { type Pick, seededPick } from '../rig/random';

const PART_SIZE = 64 << 20;

/** Writes `parts` times 64 MB. Returns how many messages of the users are in it. */
export function writeMailLog(path: string, parts: number, users: number): number {
  const pick = seededPick(64);
  const lines: string[] = [];
  let messages = 0;
  for (let size = 0; size < PART_SIZE; messages++) {
    const text = message(pick, messages, users, Math.floor((size / PART_SIZE) * 86_400));
    lines.push(text);
    size += text.length;
  }
  const bytes = Buffer.from(lines.join(''));
  const descriptor = openSync(path, 'w');
  for (let part = 0; part < parts; part++) {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
  }
  closeSync(descriptor);
  return messages * parts;
}

/** The lines of one message of a user; every fourth with a failed login by somebody else. */
function message(pick: Pick, number: number, users: number, second: number): string {
  const user = number < users ? number : pick(users);
  const clock = new Date(second * 1000).toISOString().slice(11, 19);
  const head = `2026-10-01T${clock}.${100_000 + pick(900_000)}+00:00 mx1 postfix`;
  const pid = 1000 + pick(30_000);
  const id = (0x10_0000_0000 + number * 7919).toString(16).toUpperCase();
  const client = `host-${user}.isp.example[${addressOf(user, pick)}]`;
  const failure = `${head}/submission/smtpd[${pid}]: warning: unknown[203.0.113.99]: SASL LOGIN authentication failed: authentication failure, sasl_username=user${user}@example.com\n`;
  return `${head}/submission/smtpd[${pid}]: connect from ${client}
${head}/submission/smtpd[${pid}]: ${id}: client=${client}, sasl_method=PLAIN, sasl_username=user${user}@example.com
${head}/cleanup[${pid}]: ${id}: message-id=<${id}.${second}@mail.example.com>
${head}/qmgr[812]: ${id}: from=<user${user}@example.com>, size=${pick(90_000)}, nrcpt=1 (queue active)
${head}/submission/smtpd[${pid}]: disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
${head}/smtp[${pid}]: ${id}: to=<someone${pick(5000)}@example.net>, relay=mx.example.net[203.0.113.25]:25, delay=0.8, delays=0.1/0/0.3/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyZab)
${head}/qmgr[812]: ${id}: removed
${number % 4 === 0 ? failure : ''}`;
}

/** Mostly from one place, now and then from three others; one user in five has IPv6, with addresses that come and go. */
function addressOf(user: number, pick: Pick): string {
  const place = pick(10) < 7 ? 0 : pick(4);
  return user % 5 === 4
    ? `2001:db8:${user.toString(16)}:${place}::${pick(5) + 1}`
    : `198.${18 + place}.${user >> 8}.${user & 255}`;
}
