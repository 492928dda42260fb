// The chapters of the manual page that no command's --help has.
import { DEFAULT_REJECT_TEXT } from '../policy/reply';
import { DEFAULT_DATABASE } from '../rules/database';
import { item, paragraph, section, subsection, verbatim } from './roff';

export const DESCRIPTION = [
  section('DESCRIPTION'),
  paragraph(
    'allow-nets lets an authenticated user send mail only from the networks that were allowed for that user, so that a stolen password is worth nothing elsewhere. Without a command it is the policy program that Postfix runs with spawn(8) and asks with check_policy_service: it reads "name=value" lines up to an empty line on standard input, writes one action and an empty line to standard output, and ends; with --persistent it goes on with the next request of the same connection. With a command it is for the administrator.',
  ),
];

export const DECISION = [
  section('DECISION'),
  paragraph(
    'No sasl_username: dunno, so that the restrictions that follow decide. Never ok, which would skip them.',
  ),
  paragraph(
    'The subjects of a user name user@domain are, in this order, user@domain, user, @domain and *. The first one that has an entry decides alone: dunno when one of its entries is in force and contains the client address, else reject. No subject with an entry: reject. An entry that has expired or cannot be read grants nothing and still is an entry. Names are compared without regard to case; the domain begins after the last @.',
  ),
  paragraph(
    'IPv4 and IPv6 never match each other. An IPv4-mapped IPv6 address is its IPv4 address. A client address that is no IP address is in no network.',
  ),
  paragraph(
    `The reply to a refused client is 5.7.1 and the text of --reject-text, by default "${DEFAULT_REJECT_TEXT}".`,
  ),
  paragraph(
    'In trouble the program answers nothing, writes one warning to the mail log that says what to do, and exits; Postfix asks once more and then puts the client off with 451. Trouble never lets mail pass.',
  ),
];

export const DATABASE = [
  section('DATABASE'),
  paragraph(
    `One SQLite file (${DEFAULT_DATABASE}) with a rollback journal. The service user must be able to read it, and needs no write permission. A change, or a whole new file renamed over the old one, counts from the next request on.`,
  ),
  verbatim(
    'access(user, network, note, expires, added_at, added_by)\nnetwork_set(name, network, note, added_at, added_by)',
  ),
  paragraph(
    'A network is a CIDR, an address, "any" or, in access, "@name" for the networks of a set. expires is an ISO 8601 time in UTC or NULL. Rows put in with any SQLite client count too:',
  ),
  verbatim("insert into access (user, network) values ('test1', '127.0.0.1/32')"),
];

export const SET_UP = [
  section('POSTFIX SET-UP'),
  paragraph(
    'allow-nets install does this. By hand: an entry in master.cf, its time limit in main.cf, and check_policy_service in the recipient restrictions ahead of permit_mynetworks and permit_sasl_authenticated.',
  ),
  subsection('Persistent: one process for each smtpd process'),
  verbatim(
    `# master.cf
allow-nets unix - n n - 0 spawn user=nobody
    argv=/usr/bin/node /usr/local/lib/node_modules/postfix-allow-nets/bin/allow-nets.js --persistent
# main.cf
smtpd_recipient_restrictions = check_policy_service unix:private/allow-nets,
    permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
allow-nets_time_limit = 3600`,
  ),
  subsection('One process for each request'),
  paragraph(
    'The same without --persistent, and with request_limit=1 (Postfix 3.0 or newer), without which Postfix waits a second before each further recipient of a session:',
  ),
  verbatim('check_policy_service { unix:private/allow-nets, request_limit=1 }'),
  subsection('Services with lists of their own'),
  paragraph(
    'A list set with -o in master.cf, as the submission and submissions services that Postfix ships have it, replaces that of main.cf: the check must stand in it too. White space is not allowed there, a comma does the same:',
  ),
  verbatim(
    '-o smtpd_recipient_restrictions=check_policy_service,unix:private/allow-nets,permit_sasl_authenticated,reject',
  ),
  subsection('Trial'),
  paragraph(
    'warn_if_reject before check_policy_service logs reject_warning instead of refusing: allow-nets install --trial.',
  ),
];

export const EXIT_STATUS = [
  section('EXIT STATUS'),
  paragraph('Of a command:'),
  item('0', 'Done, or allowed.'),
  item('1', 'The thing asked about is refused, absent or failed.'),
  item('2', 'Wrong usage.'),
  paragraph('Of the policy program:'),
  item('0', 'Answered, or end of input with no request begun.'),
  item('64', 'Wrong command-line option.'),
  item('65', 'A request that breaks the protocol.'),
  item('70', 'A bug; the warning holds the stack.'),
  item('75', 'The database is busy: the same request may work in a moment.'),
  item('78', 'The installation or the database must be repaired; the warning says how.'),
];

export const FILES = [
  section('ENVIRONMENT'),
  item('ALLOW_NETS_DB', 'The database, when --db is not given. spawn(8) does not pass it on.'),
  item('NO_COLOR', 'No colours, also on a terminal.'),
  section('FILES'),
  item(DEFAULT_DATABASE, 'The database.'),
  item('/etc/postfix/main.cf, /etc/postfix/master.cf', 'What install and uninstall change.'),
  item('/etc/postfix/*.allow-nets-DATE', 'Copies of both from before such a change.'),
];

export const SEE_ALSO = [
  section('SEE ALSO'),
  paragraph('postconf(1), master(5), access(5), smtpd(8), spawn(8), postlog(1)'),
  paragraph('Postfix documentation: SMTPD_POLICY_README, SMTPD_ACCESS_README, SASL_README.'),
];
