// Dovecot's log line for a successful login, which `learn --dovecot` counts:
//
//   imap-login: Login: user=<U>, method=M, rip=ADDR, ...        up to 2.3; `Logged in:` from 2.4
//
// In syslog the tag is `dovecot`. In Dovecot's own log file the tag is the login process, and the message begins with
// `Info: `. Lines for failed logins (`Aborted login`, `Login aborted`, `Disconnected`) begin differently, so no user
// name that a client sends can imitate a success.
import { parseAddress } from '../rules/address';
import { utf8 } from './head';
import type { LineKind } from './read-log';

const LOGIN = /^Log(?:ged )?in: user=<[^>]/;
const LOGGED_IN = /^(?:Login|Logged in): user=<([^<>]+)>, method=[\w-]*, rip=([0-9A-Fa-f:.]+)(?:, |$)/;

export const DOVECOT_LINES: LineKind = {
  marks: [': Login: user=<', ': Logged in: user=<'],
  isLike: (line) => /-login: (?:Info: )?Log(?:ged )?in: user=<[^>]/.test(line),
  read({ tag, message, times }) {
    const before = tag === 'dovecot' ? /^[a-z0-9]+-login: / : /^Info: /;
    if ((tag !== 'dovecot' && !/^[a-z0-9]+-login$/.test(tag)) || !before.test(message)) return 'other';
    const text = message.replace(before, '');
    const [, user, address = ''] = LOGGED_IN.exec(text) ?? [];
    if (user === undefined) return LOGIN.test(text) ? 'broken' : 'other';
    return times > 0 && parseAddress(address) !== null ? { user: utf8(user), address, times } : 'broken';
  },
};
