// The one line by which Postfix says that it took a message from an authenticated user:
//
//   QID: client=NAME[ADDR][:PORT], sasl_method=M, sasl_username=U[, sasl_sender=S][, orig_queue_id=Q][, orig_client=C]
//
// U is whatever the client logged in as: it may hold spaces, commas, even `, sasl_sender=`. All before it is Postfix's own text and is matched from
// the first byte on; what follows it is matched from the end of the line. Failed logins, `reject:`, `milter-reject:` and warnings name users too,
// in messages that begin otherwise: they are another kind of line, whatever they hold further right.
// (src/smtpd/smtpd.c, where the queue file is opened; the queue ID: postconf(5), enable_long_queue_ids.)
//
// DIAGNOSTICS: a line that holds `client=` and `sasl_username=` and is neither this one nor one that Postfix or another known program writes for
// another reason is `unknown`: its form may be new, and nobody's mail must be left out in silence.
import { parseAddress } from '../rules/address';
import { INNER_STAMP, type LineKind, utf8 } from './head';

/** An authenticated user, at an address. */
export interface Sighting {
  /** As the client gave it. */
  readonly user: string;
  /** An IP address, `unknown`, or an address that is good for one interface only. */
  readonly address: string;
  /** How many messages the line stands for. */
  readonly times: number;
}

const QUEUE_ID = '(?:NOQUEUE|[0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{5,})';
const BEGINNING = new RegExp(`^${QUEUE_ID}: client=`);
const DELIVERY = new RegExp(
  String.raw`${BEGINNING.source}[\w.-]+\[([^\s[\]]+)\](?::\d+)?, sasl_method=[\w-]+, sasl_username=(.*)$`,
);
/** `postfix/smtpd`, `postfix/submission/smtpd`, any syslog_name before it or none; `postfix` where the service's name was lost. */
const SMTPD = /(?:^|\/)smtpd$|^postfix$/;
/** How all other messages of smtpd begin: with words of Postfix's own, or with an arrow when it logs the whole session. */
const OTHER_MESSAGE = /^(?!\w+: client=)(?:[<>] |(?:[0-9A-Za-z]+: )?[A-Za-z_-]+(?:[: ]|$))/;
/** A whole line, or one without its time stamp or host, as the message of another program: so Docker's syslog driver passes lines on. */
const LINE_IN_MESSAGE = new RegExp(
  String.raw`^(?:<\d{1,3}>)?(?:${INNER_STAMP} )?(?:\S+ )?(?:\S*\/)?(?:smtpd|postfix)(?:\[\d+\])?: *${BEGINNING.source.slice(1)}|^\{.*client=`,
);
const LONGEST_USER = 1024;

export const POSTFIX_LINES: LineKind<Sighting> = {
  marks: ['sasl_username=', ', sasl_method='],
  isLike: (line) => line.includes('client='),
  read({ tag, message, times }) {
    if (!SMTPD.test(tag)) {
      return DELIVERY.test(message) || LINE_IN_MESSAGE.test(message) ? 'unknown' : 'other';
    }
    const [, address = '', rest = ''] = DELIVERY.exec(message) ?? [];
    if (address === '') {
      if (BEGINNING.test(message)) return 'broken';
      return OTHER_MESSAGE.test(message) ? 'other' : 'unknown';
    }
    const user = utf8(userIn(rest));
    if (user === '') return 'other';
    return times > 0 && isSound(user, rest) && isAddress(address) ? { user, address, times } : 'broken';
  },
};

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
  // The end of this line and the line break were lost, as after a power failure, and the next line follows.
  return !/smtpd\[\d+\]: /.test(rest);
}

/** `unknown` is Postfix's word for a client whose address it does not know. */
function isAddress(text: string): boolean {
  return text === 'unknown' || parseAddress(text.replace(/%.*$/, '')) !== null;
}
