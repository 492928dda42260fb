// The one line by which Postfix says that it took a message from an authenticated user:
//
//   QID: client=NAME[ADDR][:PORT], sasl_method=M, sasl_username=U[, sasl_sender=S][, orig_queue_id=Q][, orig_client=C]
//
// U is the name that the client logged in with: it may hold spaces, commas, even `, sasl_sender=`. All before it is
// Postfix's own text and is matched from the first byte on; what follows it is matched from the end of the line. Failed
// logins, `reject:`, `milter-reject:` and warnings name users too, in messages that begin in other ways.
// (src/smtpd/smtpd.c; the queue ID: postconf(5), enable_long_queue_ids.)
//
// DIAGNOSTICS: a line that could be this one, and is not one that Postfix or another program is known to write, is
// `unknown`: no mail may be left out in silence.
import { isIP } from 'node:net';
import { INNER_STAMP, utf8 } from './head';
import type { LineKind } from './read-log';

const QUEUE_ID = '(?:NOQUEUE|[0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{5,})';
const BEGINNING = new RegExp(`^${QUEUE_ID}: client=`);
const DELIVERY = new RegExp(
  String.raw`${BEGINNING.source}[\w.-]+\[([^\s[\]]+)\](?::\d+)?, sasl_method=[\w-]+, sasl_username=(.*)$`,
);
/** `postfix/smtpd`, with any syslog_name or none; `postfix` where the service's name was lost. */
const SMTPD = /(?:^|\/)smtpd$|^postfix$/;
/** How other messages of smtpd begin: with Postfix's own words, or with an arrow when it logs the session. */
const OTHER_MESSAGE = /^(?!\w+: client=)(?:[<>] |(?:[0-9A-Za-z]+: )?[A-Za-z_-]+(?:[: ]|$))/;
/** A line, or the end of one, as the message of another program, such as Docker's syslog driver. */
const LINE_IN_MESSAGE = new RegExp(
  String.raw`^(?:<\d{1,3}>)?(?:${INNER_STAMP} )?(?:\S+ )?(?:\S*\/)?(?:smtpd|postfix)(?:\[\d+\])?: *${BEGINNING.source.slice(1)}|^\{.*client=`,
);
const LONGEST_USER = 1024;

export const POSTFIX_LINES: LineKind = {
  marks: ['sasl_username=', ', sasl_method='],
  isLike: (line) => line.includes('client='),
  read({ tag, message, times }) {
    const [, address, rest = ''] = DELIVERY.exec(message) ?? [];
    if (!SMTPD.test(tag)) return address !== undefined || LINE_IN_MESSAGE.test(message) ? 'unknown' : 'other';
    if (address === undefined) {
      if (BEGINNING.test(message)) return 'broken';
      return OTHER_MESSAGE.test(message) ? 'other' : 'unknown';
    }
    const user = utf8(userIn(rest));
    if (user === '') return 'other';
    // `unknown` is Postfix's word for an address that it does not know.
    const isAddress = address === 'unknown' || isIP(address) !== 0;
    return times > 0 && isAddress && isSound(user, rest) ? { user, address, times } : 'broken';
  },
};

/** The user, without what may follow it. */
function userIn(rest: string): string {
  if (!rest.includes(',')) return rest;
  return rest
    .replace(/, orig_client=[\w.-]+\[[^\s[\]]+\](?::\d+)?$/, '')
    .replace(/, orig_queue_id=[0-9A-Za-z]+$/, '')
    .replace(/, sasl_sender=[^ ]+$/, '');
}

function isSound(user: string, rest: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what no log line holds
  if (user.length > LONGEST_USER || /[\x00-\x1f\x7f\ufffd]/.test(user)) return false;
  // A power failure can lose the end of this line and the line break, so that the next line follows.
  return !/smtpd\[\d+\]: /.test(rest);
}
