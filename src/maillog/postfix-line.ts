// The line that Postfix logs when it accepts a message from an authenticated user:
//
//   QID: client=NAME[ADDR][:PORT], sasl_method=M, sasl_username=U[, sasl_sender=S][, orig_queue_id=Q][, orig_client=C]
//
// U is the client's login name and may contain spaces, commas, even `, sasl_sender=`. The text before U is Postfix's
// own and is matched from the first byte; the text after U is matched from the end of the line. Failed logins,
// `reject:`, `milter-reject:` and warnings name users too, but begin differently. (src/smtpd/smtpd.c; the queue ID:
// postconf(5), enable_long_queue_ids.)
//
// DIAGNOSTICS: a line that could be this one, and that no known program writes otherwise, is `unknown`, so that no mail
// is skipped silently.
import { isIP } from 'node:net';
import { INNER_STAMP, utf8 } from './head';
import type { LineKind } from './read-log';

const QUEUE_ID = '(?:NOQUEUE|[0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{5,})';
const BEGINNING = new RegExp(`^${QUEUE_ID}: client=`);
const DELIVERY = new RegExp(
  String.raw`${BEGINNING.source}[\w.-]+\[([^\s[\]]+)\](?::\d+)?, sasl_method=[\w-]+, sasl_username=(.*)$`,
);
/** `postfix/smtpd`, with any syslog_name or none; `postfix` if a log program dropped the service name. */
const SMTPD = /(?:^|\/)smtpd$|^postfix$/;
/** The beginning of smtpd's other messages: a word, or an arrow when it logs the SMTP session. */
const OTHER_MESSAGE = /^(?!\w+: client=)(?:[<>] |(?:[0-9A-Za-z]+: )?[A-Za-z_-]+(?:[: ]|$))/;
/** This line, or its end, wrapped in the message of another program, such as Docker's syslog driver. */
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

/** `rest`: the line after `sasl_username=`. Cuts off the optional fields that follow the user. */
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
  // A power failure can lose the end of this line with its line break, which glues the next line to it.
  return !/smtpd\[\d+\]: /.test(rest);
}
