// The head of a log line, up to the message: `Nov  4 05:47:54 mx1 postfix/smtpd[1234]: `.
//
// What a client chooses (user name, sender, HELO name) stands in messages, of Postfix and of every other program. So the head is read from the
// first byte of the line on and nothing is ever searched for: a head further right in a line is somebody's text. The host name may be
// missing, and the time stamp of a container's log may stand before (`docker logs -t`, or `2026-11-04T05:47:54.123Z stdout F ` as Kubernetes writes it).
import { StampReader } from './stamp';

const SPACE = 32;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
const LETTER_S = 115;
const WHOLE_LINE = [Buffer.from('stdout F '), Buffer.from('stderr F ')];

export class HeadReader {
  /** Of the line read last: seconds since 1970. */
  seconds = 0;
  /** The program's name: `postfix/smtpd`, `dovecot`. */
  tagStart = 0;
  tagEnd = 0;
  /** Whether a process number in brackets followed the name. */
  hasPid = false;
  /** Where the message begins. */
  message = 0;
  private readonly stamp: StampReader;
  private readonly innerStamp: StampReader;

  /** `latest`: as for StampReader. */
  constructor(latest: number) {
    this.stamp = new StampReader(latest);
    this.innerStamp = new StampReader(latest);
  }

  /** Reads the head of the line in `bytes` from `start` to `end`. False, and nothing to rely on, when it has none. */
  read(bytes: Buffer, start: number, end: number): boolean {
    let at = this.stamp.read(bytes, start, end);
    if (at < 0 || bytes[at] !== SPACE) return false;
    // The container's stamp is the one with a zone.
    this.seconds = this.stamp.seconds;
    at++;
    if (bytes[at] === LETTER_S && WHOLE_LINE.some((mark) => startsWith(bytes, at, end, mark))) at += 9;
    const inner = this.innerStamp.read(bytes, at, end);
    if (inner >= 0 && bytes[inner] === SPACE) at = inner + 1;
    return this.readTag(bytes, at, end);
  }

  private readTag(bytes: Buffer, at: number, end: number): boolean {
    let from = at;
    let to = tokenEnd(bytes, from, end);
    if (bytes[to - 1] !== COLON) {
      // A host name; with brackets in it, it would be a program's message.
      for (let i = from; i < to; i++) if (bytes[i] === OPEN || bytes[i] === CLOSE) return false;
      if (to === from) return false;
      from = to + 1;
      to = tokenEnd(bytes, from, end);
    }
    if (to >= end || to - from < 2 || bytes[to - 1] !== COLON) return false;
    this.message = to + 1;
    this.tagStart = from;
    this.tagEnd = nameEnd(bytes, from, to - 1);
    this.hasPid = this.tagEnd < to - 1;
    return true;
  }
}

/** Whether `text` stands at `at`. */
export function startsWith(bytes: Buffer, at: number, end: number, text: Buffer): boolean {
  if (at + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

function tokenEnd(bytes: Buffer, from: number, end: number): number {
  let to = from;
  while (to < end && bytes[to] !== SPACE) to++;
  return to;
}

/** Where a `[1234]` before `to` begins; `to` when there is none. */
function nameEnd(bytes: Buffer, from: number, to: number): number {
  if (bytes[to - 1] !== CLOSE) return to;
  let open = to - 2;
  while (open > from && isDigit(bytes[open])) open--;
  return bytes[open] === OPEN && open < to - 2 ? open : to;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}
