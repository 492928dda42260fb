// Turns a verdict into a reply of the policy protocol: an access(5) action.
//
// Whatever a request contains, the reply is one line of printable ASCII of at most 400 bytes, and an empty line.
import type { Query, Verdict } from './decide';

export const DEFAULT_REJECT_TEXT = '{user} may not send mail from {address}';

const LONGEST_ACTION = 400;

/** The access(5) action of a verdict. Never `ok`, which would skip the restrictions that follow. */
export function actionOf(verdict: Verdict, query: Query, rejectText: string): string {
  if (verdict.kind !== 'refused') return 'action=dunno';
  const text = rejectText.replace(/\{(user|address)\}/g, (_, name: 'user' | 'address') => query[name]);
  return `action=reject 5.7.1 ${text.replace(/[^ -~]/gu, '?')}`.slice(0, LONGEST_ACTION).trimEnd();
}

export function replyBytes(action: string): Buffer {
  return Buffer.from(`${action}\n\n`, 'latin1');
}
