// The policy protocol (Postfix SMTPD_POLICY_README, "Protocol description"): parses requests and writes replies.
//
// A request is "name=value" lines in any order, ended by an empty line. Unknown names are ignored, the first of two
// attributes with the same name counts, a value may contain "=", and a trailing CR is dropped.
//
// A reply is an access(5) action and an empty line. Whatever a request contains, it is one line of printable ASCII of at
// most 400 bytes.
//
// DIAGNOSTICS: a violation of the protocol is Trouble, without a reply.
import { readSome } from '../descriptor';
import { Trouble } from '../failure';
import type { Query, Verdict } from './decide';

/** `attributes`: all attributes of the request, in their order, as UTF-8. */
export interface Request extends Query {
  readonly attributes: ReadonlyMap<string, string>;
}

/** The most bytes in a request. */
export const REQUEST_LIMIT = 64 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/** Reads requests from a file descriptor. */
export class RequestReader {
  private readonly buffer = Buffer.allocUnsafeSlow(REQUEST_LIMIT + 1);
  /** The number of bytes in the buffer. */
  private filled = 0;

  constructor(private readonly descriptor: number) {}

  /** The next request; null if the input ends before it starts. */
  next(): Request | null {
    for (let start = 0; ; ) {
      const newline = this.buffer.subarray(0, this.filled).indexOf(LF, start);
      const size = newline < 0 ? this.filled : newline + 1;
      if (size > REQUEST_LIMIT) throw broken(`a request of more than ${REQUEST_LIMIT} bytes`);
      if (newline < 0) {
        if (this.fill()) continue;
        if (this.filled === 0) return null;
        throw broken('the input ended inside a request');
      }
      if (newline === start || (newline === start + 1 && this.buffer[start] === CR)) {
        const lines = this.buffer.toString('utf8', 0, start);
        this.buffer.copyWithin(0, size, this.filled);
        this.filled -= size;
        return parseRequest(lines);
      }
      start = size;
    }
  }

  /** Reads once. False at the end of input. */
  private fill(): boolean {
    try {
      const count = readSome(this.descriptor, this.buffer, this.filled);
      this.filled += count;
      return count > 0;
    } catch (error) {
      throw broken(`the input cannot be read (${(error as Error).message})`);
    }
  }
}

function parseRequest(text: string): Request {
  const attributes = new Map<string, string>();
  for (const line of text.split('\n').slice(0, -1)) {
    const equals = line.indexOf('=');
    if (equals < 0) throw broken('a line without "="');
    const name = line.slice(0, equals);
    if (!attributes.has(name)) attributes.set(name, line.slice(equals + 1).replace(/\r$/, ''));
  }
  if ((attributes.get('request') ?? 'smtpd_access_policy') !== 'smtpd_access_policy') {
    throw broken('"request" is not smtpd_access_policy');
  }
  return {
    user: attributes.get('sasl_username') ?? '',
    address: attributes.get('client_address') ?? '',
    attributes,
  };
}

function broken(problem: string): Trouble {
  const hint =
    'let only check_policy_service talk to this program, one "name=value" a line and an empty line at the end';
  return new Trouble({ kind: 'request', problem: `policy request not understood: ${problem}`, hint });
}

export const DEFAULT_REJECT_TEXT = '{user} may not send mail from {address}';

const LONGEST_ACTION = 400;

/** The access(5) action of a verdict. Never `ok`, which would skip the restrictions that follow. */
export function actionOf(verdict: Verdict, query: Query, rejectText: string): string {
  if (verdict.kind !== 'refused') return 'action=dunno';
  const text = rejectText.replace(/\{(user|address)\}/g, (_, name: 'user' | 'address') => query[name]);
  return `action=reject 5.7.1 ${text.replace(/[^ -~]/gu, '?')}`.slice(0, LONGEST_ACTION).trimEnd();
}
