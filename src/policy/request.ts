// The policy protocol, inbound: bytes to requests (Postfix SMTPD_POLICY_README, "Protocol description").
//
// A request is "name=value" lines and an empty line. Their order does not matter, unknown names are ignored, the first of two
// same-named attributes counts, a value may hold "=", a trailing CR is dropped. What breaks the protocol is Trouble: no reply.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import type { Asked } from './decide';
import { waitAWhile } from './wait';

/** `text`: all attribute lines, one byte a character, for the log. */
export interface Request extends Asked {
  readonly text: string;
}

/** The most bytes that a request may hold. */
export const REQUEST_LIMIT = 64 * 1024;

/** Reads requests from a file descriptor that blocks, or does not. */
export class RequestReader {
  private readonly buffer = Buffer.allocUnsafeSlow(REQUEST_LIMIT + 1);
  private start = 0;
  private end = 0;

  constructor(private readonly descriptor: number) {}

  /** The next request, or null at the end of input with no request begun. */
  next(): Request | null {
    let lineStart = this.start;
    let searched = this.start;
    for (;;) {
      const newline = searched < this.end ? this.buffer.indexOf(0x0a, searched) : -1;
      if (newline < 0 || newline >= this.end) {
        searched = this.end;
        const moved = this.start;
        if (!this.fill()) {
          if (this.start === this.end) return null;
          throw broken('the input ended inside a request');
        }
        lineStart -= moved - this.start;
        searched -= moved - this.start;
        continue;
      }
      const length = newline - lineStart;
      if (length === 0 || (length === 1 && this.buffer[lineStart] === 0x0d)) {
        if (newline >= this.start + REQUEST_LIMIT) throw tooLong();
        const text = this.buffer.toString('latin1', this.start, lineStart);
        this.start = newline + 1;
        return requestOf(text);
      }
      lineStart = newline + 1;
      searched = lineStart;
    }
  }

  /** Reads once, with what is not yet a request moved to the front. False at the end of input. */
  private fill(): boolean {
    if (this.start > 0) {
      this.buffer.copy(this.buffer, 0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    }
    if (this.end > REQUEST_LIMIT) throw tooLong();
    const count = readSome(this.descriptor, this.buffer, this.end);
    this.end += count;
    return count > 0;
  }
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
  let request: string | null = null;
  let user: string | null = null;
  let address: string | null = null;
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at);
    const equals = text.indexOf('=', at);
    if (equals < 0 || equals > newline) throw broken('a line without "="');
    switch (equals - at) {
      case 7:
        if (request === null && text.startsWith('request', at)) request = valueAt(text, equals, newline);
        break;
      case 13:
        if (user === null && text.startsWith('sasl_username', at)) user = valueAt(text, equals, newline);
        break;
      case 14:
        if (address === null && text.startsWith('client_address', at))
          address = valueAt(text, equals, newline);
        break;
    }
    at = newline + 1;
  }
  if (request !== null && request !== 'smtpd_access_policy')
    throw broken('"request" is not smtpd_access_policy');
  return { ...decoded(user ?? ''), address: address ?? '', text };
}

function valueAt(text: string, equals: number, newline: number): string {
  const end = text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline;
  return text.slice(equals + 1, end);
}

/** UTF-8 from the bytes that `bytes` holds one to a character; what is none becomes U+FFFD. */
function decoded(bytes: string): { user: string; wellFormed: boolean } {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for
  if (/^[\x00-\x7f]*$/.test(bytes)) return { user: bytes, wellFormed: true };
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
