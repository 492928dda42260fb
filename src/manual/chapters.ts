// The sections of the manual page that are not part of a command's --help, in the notation of roff.ts.
import { DEFAULT_REJECT_TEXT } from '../policy/protocol';
import { DEFAULT_DATABASE } from '../rules/database';

const DEFAULT_ACTION = '{ default_action = 451 4.3.5 Policy service not available; see the mail log }';

export const DESCRIPTION = `
# DESCRIPTION
allow-nets lets an authenticated user send mail only from the networks that were allowed for that user, so that a stolen password is useless elsewhere.
Without a command it is the policy program that Postfix runs with spawn(8) and asks with check_policy_service. It reads "name=value" lines up to an empty line on standard input, writes one action and an empty line to standard output, and exits; with --persistent it goes on with the next request of the same connection. With a command it is for the administrator.
`;

export const REFERENCE = `
# DECISION
Without sasl_username the reply is dunno: the restrictions that follow decide. It is never ok, which would skip them.
The subjects of a user name user@domain are, in this order, user@domain, user, @domain and *. The domain begins after the last @; the local part is a subject only when it has no @ and is not *. The first subject that has an entry decides: reject when an entry none of it is in force; dunno when one of its entries is in force and contains the client address; else, when an entry inherit of it is in force, the next wider subject that has an entry decides in the same way; else reject. When no subject has an entry, the reply is reject.
An entry that has expired or cannot be read grants nothing but still is an entry: no wider one takes its place. Names are compared without regard to case (Unicode NFC, lower case). A name with a NUL or with bytes that are not UTF-8 matches nothing.
IPv4 and IPv6 never match each other. An IPv4-mapped IPv6 address is its IPv4 address. A client address that is not an IP address is in no network.
The reply to a refused client is "reject 5.7.1" and the text of --reject-text, by default "${DEFAULT_REJECT_TEXT}".

# DATABASE
One SQLite file (${DEFAULT_DATABASE}) with a rollback journal. It belongs to root; the group of the account that runs the policy program may read it (folder 750, file 640). A change, or a whole new file renamed over the old one, counts from the next request on.
    access(user, network, note, expires, added_at, added_by)
    network_set(name, network, note, added_at, added_by)
A network is a CIDR, an address, any (every IPv4 and IPv6 address) or, in access, @NAME for the networks of a set, inherit or none. expires is an ISO 8601 time in UTC or NULL; a date alone is the end of that day. Rows inserted with any SQLite client count too:
    insert into access (user, network) values ('test1', '127.0.0.1/32')
Such rows may have any spelling; names in them are compared as written, without regard to the case of ASCII letters. Every command that writes first makes them canonical, except those whose address is not the first of its network (10.1.2.3/8). Such a row grants all of 10.0.0.0/8; a row that cannot be read grants nothing. list, tidy and doctor report both.
The view dovecot answers Dovecot's SQL passdb: select allow_nets from dovecot where login = json_array(user, address) returns the network that allows the user, and no row if the user is refused. It may refuse more than check does, never less. examples/dovecot has the configuration. init adds the view to an older database.
To back up, run sqlite3 access.db ".backup copy.db". To replace the whole list, rename a file over it; do not copy over it. To restore an export, fill a database beside it, since one that is still empty refuses every user: allow-nets init --db new.db && allow-nets import FILE --db new.db && mv new.db access.db. A file access.db-journal that stays means that a change was interrupted: run allow-nets tidy, which rolls it back, before you replace the file.

# POSTFIX CONFIGURATION
allow-nets install does this. By hand: an entry in master.cf, its time limit in main.cf, and check_policy_service in the recipient restrictions ahead of permit_mynetworks and permit_sasl_authenticated.

## Persistent: one process for each smtpd process
    # master.cf
    allow-nets unix - n n - 0 spawn user=nobody
        argv=/usr/bin/node /usr/lib/node_modules/postfix-allow-nets/bin/allow-nets.js --persistent
    # main.cf
    smtpd_recipient_restrictions = check_policy_service { unix:private/allow-nets,
        ${DEFAULT_ACTION} },
        permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
    allow-nets_time_limit = 3600
The default_action of the check is what Postfix answers in trouble. Without it, smtpd_policy_service_default_action of main.cf counts, which many sites set to DUNNO: then trouble lets mail pass.

## One process for each request
The same without --persistent, and with request_limit=1 (Postfix 3.0 or newer). Without it Postfix waits a second before each further recipient of a session:
    check_policy_service { unix:private/allow-nets, request_limit=1,
        ${DEFAULT_ACTION} }

## Services with lists of their own
A list set with -o in master.cf, as the submission and submissions services that Postfix ships have it, replaces that of main.cf: the check must stand in it too. postconf -P shows such overrides.
    -o { smtpd_recipient_restrictions = check_policy_service { unix:private/allow-nets,
        ${DEFAULT_ACTION} },
        permit_sasl_authenticated, reject }

## Trial
warn_if_reject before check_policy_service logs reject_warning instead of refusing: allow-nets install --trial.

## MemoryDenyWriteExecute= or LimitAS= in the unit of Postfix
Under these limits of systemd.exec(5) Node.js ends with a fatal error before the program begins; install then restores both files. Either remove the limit from the unit, or run Node.js without its just-in-time compiler, which is slower: write this entry into master.cf and run allow-nets install, which keeps the options:
    allow-nets unix - n n - 0 spawn user=nobody
        argv=/usr/bin/node --jitless --no-expose-wasm
        /usr/lib/node_modules/postfix-allow-nets/bin/allow-nets.js --persistent

## A mail log that the service user cannot reach
With maillog_file set and a postlog that is not set-gid (Debian 12 and 13), user=nobody:postdrop in master.cf lets the log lines through; install writes it.

# DIAGNOSTICS
In trouble (a database that is missing, unreadable, damaged or locked for more than 2 seconds, a Node.js that cannot load better-sqlite3, a request that breaks the protocol) the program answers nothing, logs one warning that says what to do, and exits. Postfix asks once more and then answers with the default_action of the check, a temporary 451. Trouble never lets mail pass.
Log lines go to the mail log through postlog(1), else logger(1), with the tag postfix/allow-nets. A refusal is logged as "verdict=reject user=... address=... subject=... entry=... reason=... client_name=... helo_name=... queue_id=..." (instance= where there is no queue ID yet); values that are not plain are JSON strings. reason is no-entry, not-covered, expired, blocked or no-address. Nothing that is run on a terminal writes to the mail log.
allow-nets doctor examines the installation and prints the commands that fix it. It changes nothing.

# EXIT STATUS
Of a command:
0 :: Done, or allowed.
1 :: The thing asked about is refused, absent or failed.
2 :: Wrong usage.
Of the policy program:
0 :: Answered, or end of input with no request begun.
64 :: Wrong command-line option.
65 :: A request that breaks the protocol.
70 :: A bug; the warning holds the stack.
75 :: The database is busy: the same request may work in a moment.
78 :: The installation or the database must be repaired; the warning says how.

# ENVIRONMENT
ALLOW_NETS_DB :: The database, when --db is not given. spawn(8) does not pass it on.
NO_COLOR :: No colours, also on a terminal.

# FILES
${DEFAULT_DATABASE} :: The database.
/etc/postfix/main.cf, /etc/postfix/master.cf :: What install and uninstall change.
/etc/postfix/*.allow-nets-DATE :: Copies of both from before such a change.
`;

export const SEE_ALSO = `
# SEE ALSO
postconf(1), master(5), access(5), smtpd(8), spawn(8), postlog(1)
Postfix documentation: SMTPD_POLICY_README, SMTPD_ACCESS_README, SASL_README.
`;
