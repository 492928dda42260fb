// The policy protocol, inbound: bytes to requests (Postfix SMTPD_POLICY_README, "Protocol description").
//
// A request is "name=value" lines and an empty line. Their order does not matter, unknown names are ignored, the first of two
// same-named attributes counts, a value may hold "=", a trailing CR is dropped. What breaks the protocol is Trouble: no reply.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { isAscii } from '../rules/subject';
import type { Asked } from './decide';
import { waitAWhile } from './wait';

/** `text`: all attribute lines, one byte a character, for the log. */
export interface Request extends Asked {
  readonly text: string;
}

/** The most bytes that a request may hold. */
export const REQUEST_LIMIT = 64 * 1024;

/** Longer than what Postfix sends, so that one look finds the end, and many requests in one read are not looked through again and again. */
const MOST_REQUESTS = 4096;

/** Reads requests from a file descriptor that blocks, or does not. */
export class RequestReader {
  private readonly buffer = Buffer.allocUnsafeSlow(REQUEST_LIMIT + 1);
  private start = 0;
  private end = 0;

  constructor(private readonly descriptor: number) {}

  /** The next request, or null at the end of input with no request begun. */
  next(): Request | null {
    let searched = this.start;
    for (;;) {
      // Two bytes of what was searched before, since the end of a request is up to three bytes long.
      const from = Math.max(this.start, searched - 2);
      const until = Math.min(this.end, from + MOST_REQUESTS);
      const text = this.buffer.toString('latin1', from, until);
      const after = afterRequest(text, from === this.start);
      if (after > 0) {
        const next = from + after;
        if (next > this.start + REQUEST_LIMIT) throw tooLong();
        const whole = from === this.start ? text : this.buffer.toString('latin1', this.start, next);
        const lines = whole.slice(0, next - this.start - (text.charCodeAt(after - 2) === CR ? 2 : 1));
        this.start = next;
        return requestOf(lines);
      }
      searched = until;
      if (until < this.end) continue;
      const moved = this.start;
      if (!this.fill()) {
        if (this.start === this.end) return null;
        throw broken('the input ended inside a request');
      }
      searched -= moved - this.start;
    }
  }

  /** Reads once, with what is not yet a request moved to the front. False at the end of input. */
  private fill(): boolean {
    if (this.start > 0) {
      if (this.start < this.end) this.buffer.copy(this.buffer, 0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    }
    if (this.end > REQUEST_LIMIT) throw tooLong();
    const count = readSome(this.descriptor, this.buffer, this.end);
    this.end += count;
    return count > 0;
  }
}

const CR = 0x0d;

/** Where the text goes on after the first empty line, or 0 when it holds none. `isBegin`: it begins with a line. */
function afterRequest(text: string, isBegin: boolean): number {
  if (isBegin && text.startsWith('\n')) return 1;
  if (isBegin && text.startsWith('\r\n')) return 2;
  const end = text.indexOf('\n\n');
  const endCr = text.indexOf('\n\r\n');
  if (endCr >= 0 && (end < 0 || endCr < end)) return endCr + 3;
  return end < 0 ? 0 : end + 2;
}

function readSome(descriptor: number, into: Buffer, at: number): number {
  for (let tries = 0; ; tries++) {
    try {
      return fs.readSync(descriptor, into, at, into.length - at, null);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') waitAWhile(tries);
      else if (code === 'EOF' || code === 'ECONNRESET') return 0;
      else if (code !== 'EINTR') throw broken(`the input cannot be read (${message})`);
    }
  }
}

function requestOf(text: string): Request {
  for (let at = 0; at < text.length; ) {
    const equals = text.indexOf('=', at);
    const newline = text.indexOf('\n', at);
    if (equals < 0 || equals > newline) throw broken('a line without "="');
    at = newline + 1;
  }
  const request = attribute(text, '\nrequest=');
  if (request !== null && request !== 'smtpd_access_policy')
    throw broken('"request" is not smtpd_access_policy');
  const { user, wellFormed } = decoded(attribute(text, '\nsasl_username=') ?? '');
  return { user, wellFormed, address: attribute(text, '\nclient_address=') ?? '', text };
}

/** The value in the first line that begins with `mark`, which itself begins with the end of the line before. */
function attribute(text: string, mark: string): string | null {
  const isFirst = text.startsWith(mark.slice(1));
  const at = isFirst ? -1 : text.indexOf(mark);
  if (at < 0 && !isFirst) return null;
  const from = at + mark.length;
  const newline = text.indexOf('\n', from);
  return text.slice(from, text.charCodeAt(newline - 1) === CR ? newline - 1 : newline);
}

/** UTF-8 from the bytes that `bytes` holds one to a character; what is none becomes U+FFFD. */
function decoded(bytes: string): { user: string; wellFormed: boolean } {
  if (isAscii(bytes)) return { user: bytes, wellFormed: true };
  const raw = Buffer.from(bytes, 'latin1');
  const user = raw.toString('utf8');
  return { user, wellFormed: Buffer.from(user, 'utf8').equals(raw) };
}

function tooLong(): Trouble {
  return broken(`a request of more than ${REQUEST_LIMIT} bytes`);
}

function broken(problem: string): Trouble {
  return new Trouble({ kind: 'request', problem });
}
