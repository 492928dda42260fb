// The lines of a mail log that count. A pattern matches a whole line from its first byte, decoded as Latin-1.
//
// Clients choose user names, senders and HELO names, and could imitate these lines in the log lines of other programs
// and in the logged failures of the same program. Those begin differently.
import { headerOf, otherHeader, STAMP, utf8 } from './header';

export interface LineKind {
  /** Only lines that contain this text are matched. */
  readonly mark: string;
  /** A line that counts, with the groups of STAMP, `user`, `address` and perhaps `reason`. */
  readonly form: RegExp;
  /** A line that does not count. What neither of the two matches is damaged or in a form that is not known. */
  readonly other: RegExp;
  /** The value of the group `user`. */
  decode(value: string): string;
}

/**
 * `postfix/smtpd`, with any syslog_name or none, `postfix/192.0.2.25:587/smtpd` too; `postfix` if a log program dropped
 * the service name.
 */
const SMTPD = String.raw`(?:[^\s:[\]"]*/)?(?:\[?[\da-fA-F.:]+\]?:\w+/)?smtpd|postfix`;
const BEGINNING = '(?:NOQUEUE|[0-9A-F]{5,}|[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{5,}): client=';
const CLIENT = String.raw`[\w.-]+\[(?<address>[\w.:%-]+)\](?::\d+)?`;
/** A power failure can lose the end of a line with its line break, which glues the next line to it. */
const USER = String.raw`(?!.*smtpd\[\d+\]: )(?<user>[^\x00-\x1f\x7f]+?)`;
const MORE = String.raw`(?:, sasl_sender=[^ ]+)?(?:, orig_queue_id=\w+)?(?:, orig_client=[\w.-]+\[[^\s[\]]+\](?::\d+)?)?`;
/** smtpd's other messages: a word, an arrow when it logs the SMTP session, or a client that is not a user. */
const OTHER_MESSAGE = String.raw`(?:(?!(?:message repeated \d+ times: \[ )?\w+: client=)(?:[<>] |(?:[0-9A-Za-z]+: )?[A-Za-z_-]+(?:[: ]|$))|${BEGINNING}[^\s,]+, (?:sasl_sender|orig_\w+)=)`;

/**
 * Postfix accepts a message from an authenticated user (src/smtpd/smtpd.c):
 * `QID: client=NAME[ADDR][:PORT], sasl_method=M, sasl_username=U[, sasl_sender=S][, orig_queue_id=Q][, orig_client=C]`.
 * U may contain spaces, commas, even `, sasl_sender=`, so the text after U is matched from the end of the line.
 */
export const POSTFIX_LINES: LineKind = {
  // Not `sasl_username=`: a line that is cut off before it is reported, too.
  mark: ', sasl_',
  form: new RegExp(
    String.raw`^${headerOf(SMTPD, STAMP)}${BEGINNING}${CLIENT}, sasl_method=[\w-]+, sasl_username=${USER}${MORE}\r?$`,
  ),
  other: new RegExp(
    `^(?:${headerOf(SMTPD)}${OTHER_MESSAGE}|(?!${headerOf(SMTPD)}|.*client=)|${otherHeader(SMTPD, BEGINNING)}(?! *${BEGINNING}))`,
  ),
  decode: utf8,
};

/** `imap-login: Info: Login:` in Dovecot's own log file; `dovecot: imap-login: Login:` in syslog, where it is the tag. */
const DOVECOT = 'dovecot|[a-z0-9]+-login';
/** `Login` up to 2.3, `Logged in` from 2.4. */
const LOGIN = '(?:Info: )?Log(?:ged )?in: user=<';

/** A successful login at Dovecot: `Login: user=<U>, method=M, rip=ADDR, ...` */
export const DOVECOT_LINES: LineKind = {
  // Docker writes `<` as `\\u003c` in its JSON lines.
  mark: 'in: user=',
  form: new RegExp(
    String.raw`^${headerOf(DOVECOT, STAMP)}(?:[a-z0-9]+-login: )?${LOGIN}(?<user>[^<>]+)>, method=[\w-]*, rip=(?<address>[\w.:%-]+)(?:,|\r?$)`,
  ),
  other: new RegExp(`^(?:(?!.*-login: ${LOGIN}[^>])|${otherHeader(DOVECOT, `(?:[a-z0-9]+-login: )?${LOGIN}`)})`),
  decode: utf8,
};

const ALLOW_NETS = String.raw`(?:[^\s:[\]"]*/)?allow-nets`;
const VERDICT = String.raw`allow-nets(?:\[\d+\])?: *(?:message repeated \d+ times: \[ )?verdict=reject `;
/** A value with spaces or quotes is a JSON string. */
const VALUE = String.raw`(?:"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|[!#-[\]-~]*)`;
const WHO = `user=(?<user>${VALUE}) address=(?<address>${VALUE})`;
const WHY = `(?: subject=${VALUE})?(?: entry=${VALUE})?(?: reason=(?<reason>${VALUE}))?`;

/** A refusal by the policy program (policy/log-line.ts): `verdict=reject user=U address=A subject=S entry=E reason=R`. */
export const REFUSAL_LINES: LineKind = {
  mark: 'verdict=reject ',
  form: new RegExp(String.raw`^${headerOf(ALLOW_NETS, STAMP)}verdict=reject ${WHO}${WHY}(?: |\r?$)`),
  other: new RegExp(`^(?:(?!.*${VERDICT})|${otherHeader(ALLOW_NETS, 'verdict=reject ')})`),
  decode: (value) => (value.startsWith('"') ? JSON.parse(value) : value),
};
