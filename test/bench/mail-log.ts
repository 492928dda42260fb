// A mail log as a submission server writes it, of any size: days of 64 MB that are alike but for their date, so that it is made as fast
// as a disk takes it. One line in seven is a delivery.
import * as fs from 'node:fs';
import { randomNumbers } from './requests';

export const LOG_USERS = 10_000;

const DAY_SIZE = 64 << 20;
/** Where the day of the month stands in `2026-10-01T...`. */
const DAY_AT = 8;

/** Writes `days` (1 to 28) days of October 2026. How many messages of users are in it. */
export function writeMailLog(path: string, days: number): number {
  const { bytes, lines, messages } = oneDay();
  const descriptor = fs.openSync(path, 'w');
  for (let day = 1; day <= days; day++) {
    for (const line of lines) {
      bytes[line + DAY_AT] = 48 + Math.floor(day / 10);
      bytes[line + DAY_AT + 1] = 48 + (day % 10);
    }
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(descriptor, bytes, at);
  }
  fs.closeSync(descriptor);
  return messages * days;
}

/** `lines`: where they begin. */
function oneDay(): { bytes: Buffer; lines: number[]; messages: number } {
  const random = randomNumbers(64);
  const parts: Buffer[] = [];
  let size = 0;
  let messages = 0;
  while (size < DAY_SIZE) {
    let text = '';
    for (let i = 0; i < 1000; i++)
      text += message(random, messages++, Math.min(86_399, Math.floor((size / DAY_SIZE) * 86_400)));
    const part = Buffer.from(text);
    parts.push(part);
    size += part.length;
  }
  const bytes = Buffer.concat(parts);
  const lines = [0];
  for (let at = bytes.indexOf(10); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(10, at + 1)) lines.push(at + 1);
  return { bytes, lines, messages };
}

/** The lines of one message of a user; every fourth with a failed login by somebody else. */
function message(random: (limit: number) => number, number: number, second: number): string {
  const user = number < LOG_USERS ? number : random(LOG_USERS);
  const clock = new Date(second * 1000).toISOString().slice(11, 19);
  const head = `2026-10-00T${clock}.${100_000 + random(900_000)}+00:00 mx1 postfix`;
  const pid = 1000 + random(30_000);
  const id = (0x10_0000_0000 + number * 7919).toString(16).toUpperCase();
  const client = `host-${user}.isp.example[${addressOf(user, random)}]`;
  const failure = `${head}/submission/smtpd[${pid}]: warning: unknown[203.0.113.99]: SASL LOGIN authentication failed: authentication failure, sasl_username=user${user}@example.com\n`;
  return `${head}/submission/smtpd[${pid}]: connect from ${client}
${head}/submission/smtpd[${pid}]: ${id}: client=${client}, sasl_method=PLAIN, sasl_username=user${user}@example.com
${head}/cleanup[${pid}]: ${id}: message-id=<${id}.${second}@mail.example.com>
${head}/qmgr[812]: ${id}: from=<user${user}@example.com>, size=${random(90_000)}, nrcpt=1 (queue active)
${head}/submission/smtpd[${pid}]: disconnect from ${client} ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8
${head}/smtp[${pid}]: ${id}: to=<someone${random(5000)}@example.net>, relay=mx.example.net[203.0.113.25]:25, delay=0.8, delays=0.1/0/0.3/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyZab)
${head}/qmgr[812]: ${id}: removed
${number % 4 === 0 ? failure : ''}`;
}

/** Mostly from one place, now and then from three others; one user in five has IPv6, with addresses that come and go. */
function addressOf(user: number, random: (limit: number) => number): string {
  const place = random(10) < 7 ? 0 : random(4);
  return user % 5 === 4
    ? `2001:db8:${user.toString(16)}:${place}::${random(5) + 1}`
    : `198.${18 + place}.${user >> 8}.${user & 255}`;
}
