// The policy protocol, outbound: a verdict to an access(5) action, and its bytes to the descriptor.
//
// Whatever a request holds, a reply is one line of printable ASCII, 400 bytes at most, and an empty line. When it cannot be written
// whole because the peer has gone, nobody is there to be told.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import type { Asked, Verdict } from './decide';
import { waitAWhile } from './wait';

export const DEFAULT_REJECT_TEXT = '{user} may not send mail from {address}';

const LONGEST_ACTION = 400;

const DUNNO = 'action=dunno';
const DUNNO_BYTES = replyBytes(DUNNO);

/** The access(5) action of a verdict. Never `ok`, which would skip the restrictions that follow. */
export function actionOf(verdict: Verdict, asked: Asked, rejectText: string): string {
  if (verdict.kind !== 'refused') return DUNNO;
  const text = rejectText.replace(/\{(user|address)\}/g, (_, name: 'user' | 'address') => asked[name]);
  return `action=reject 5.7.1 ${printable(text)}`.slice(0, LONGEST_ACTION).trimEnd();
}

function replyBytes(action: string): Buffer {
  return Buffer.from(`${action}\n\n`, 'latin1');
}

function printable(text: string): string {
  return text.replace(/[^ -~]/gu, '?');
}

/** Writes the reply. False when the peer has gone. */
export function writeReply(descriptor: number, action: string): boolean {
  const bytes = action === DUNNO ? DUNNO_BYTES : replyBytes(action);
  let written = 0;
  for (let tries = 0; written < bytes.length; ) {
    try {
      written += fs.writeSync(descriptor, bytes, written);
      tries = 0;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE' || code === 'ECONNRESET') return false;
      if (code === 'EAGAIN') waitAWhile(tries++);
      else if (code !== 'EINTR') throw new Trouble({ kind: 'output', detail: message });
    }
  }
  return true;
}
