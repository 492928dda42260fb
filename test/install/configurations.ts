// Texts of main.cf and master.cf in the shapes that servers have, for the tests of install and uninstall.
import type { ConfigFiles } from '../../src/postfix/configuration';

export interface Configuration extends ConfigFiles {
  readonly name: string;
  /** The values that Postfix must find afterwards for a persistent, enforcing service `allow-nets`. */
  readonly main_?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, string>>;
}

export const ACTION = '{ default_action = 451 4.3.5 Policy service not available; see the mail log }';
const CHECK = `check_policy_service { unix:private/allow-nets, ${ACTION} }`;

const plain = 'compatibility_level = 3.6\n';
const auth = `${plain}smtpd_sasl_auth_enable = yes\n`;
const smtp = 'smtp      inet  n       -       y       -       -       smtpd\n';
const submission = (...lines: string[]) =>
  `${smtp}submission inet n       -       y       -       -       smtpd\n${lines.join('\n')}\n`;

// biome-ignore format: a line for each part
export const CONFIGURATIONS: readonly Configuration[] = [
  { name: 'no restriction at all',
    main: auth,
    master: smtp,
    main_: { smtpd_recipient_restrictions: CHECK } },
  { name: 'no newline at the end of the files',
    main: 'smtpd_sasl_auth_enable = yes\nx = y',
    master: `${smtp}# end`,
    main_: { smtpd_recipient_restrictions: CHECK, x: 'y' } },
  { name: 'an empty list',
    main: `${auth}smtpd_recipient_restrictions = \nx = y\n`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: CHECK } },
  { name: 'an empty list at the end without a newline',
    main: `${auth}smtpd_recipient_restrictions=`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: CHECK } },
  { name: 'a list on one line',
    main: `smtpd_recipient_restrictions=permit_mynetworks reject_unauth_destination\n${auth}`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: `${CHECK}, permit_mynetworks reject_unauth_destination` } },
  { name: 'a long list over several lines, with comments',
    main: `${auth}
smtpd_recipient_restrictions =
    # our own machines
    permit_mynetworks,
    permit_sasl_authenticated,
  # nobody else relays

    reject_unauth_destination,
    reject_rbl_client zen.example.org
# the end
message_size_limit = 0
`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: `${CHECK},    permit_mynetworks,    permit_sasl_authenticated,    reject_unauth_destination,    reject_rbl_client zen.example.org` } },
  { name: 'a list that begins on the line of its name and goes on',
    main: `smtpd_recipient_restrictions = permit_mynetworks,\n\tpermit_sasl_authenticated\n\treject\n${auth}`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: `${CHECK}, permit_mynetworks,\tpermit_sasl_authenticated\treject` } },
  { name: 'a parameter that is set twice',
    main: `smtpd_recipient_restrictions = reject\nsmtpd_recipient_restrictions = permit_mynetworks, reject\n${auth}`,
    master: smtp,
    main_: { smtpd_recipient_restrictions: `${CHECK}, permit_mynetworks, reject` } },
  { name: 'submission as shipped, with a comment inside',
    main: plain,
    master: submission('  -o syslog_name=postfix/submission', '  -o smtpd_sasl_auth_enable=yes', '#     a comment', '  -o smtpd_client_restrictions=', '  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject', '  -o milter_macro_daemon_name=ORIGINATING'),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, permit_sasl_authenticated,reject` } },
  { name: 'submission in the $mua_ style',
    main: `${plain}mua_recipient_restrictions = permit_sasl_authenticated,\n  reject\n`,
    master: submission(' -o smtpd_sasl_auth_enable=yes', ' -o smtpd_recipient_restrictions=$mua_recipient_restrictions'),
    main_: { mua_recipient_restrictions: 'permit_sasl_authenticated,  reject' },
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, $mua_recipient_restrictions` } },
  { name: 'a $mua_ parameter that is not set',
    main: plain,
    master: submission(` -o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=\${mua_recipient_restrictions}`),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, \${mua_recipient_restrictions}` } },
  { name: 'a $mua_ parameter that is set with -o',
    main: 'smtpd_sasl_auth_enable = yes\n',
    master: submission(' -o smtpd_recipient_restrictions=$(mine) -o { mine = permit_sasl_authenticated, reject }'),
    overrides: { 'submission/inet/mine': 'permit_sasl_authenticated, reject', 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, $(mine)` } },
  { name: 'one of Postfix’s own parameters in the list',
    main: `smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\n`,
    master: submission(' -o smtpd_sasl_auth_enable=yes', ' -o smtpd_recipient_restrictions=$smtpd_relay_restrictions'),
    main_: { smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination' },
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, $smtpd_relay_restrictions` } },
  { name: 'braces, and white space in them',
    main: 'smtpd_sasl_auth_enable = yes\n',
    master: submission(' -o { smtpd_recipient_restrictions =', '  permit_sasl_authenticated,', '  reject }', ' -v'),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK},  permit_sasl_authenticated,  reject` } },
  { name: 'braces without a blank around a value that needs none',
    main: 'smtpd_sasl_auth_enable = yes\n',
    master: submission(' -o {smtpd_recipient_restrictions=permit_sasl_authenticated,reject} -o { smtpd_relay_restrictions=reject }'),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, permit_sasl_authenticated,reject` } },
  { name: 'an empty override',
    main: `${plain}smtpd_sasl_auth_enable = yes\nsmtpd_recipient_restrictions = reject\n`,
    master: submission('  -o smtpd_recipient_restrictions=', '  -o { smtpd_relay_restrictions = }'),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': CHECK } },
  { name: 'an override without AUTH is left alone',
    main: 'smtpd_sasl_auth_enable = yes\n',
    master: submission(' -o smtpd_sasl_auth_enable=no -o smtpd_recipient_restrictions=permit_mynetworks,reject'),
    main_: { smtpd_recipient_restrictions: CHECK },
    overrides: { 'submission/inet/smtpd_recipient_restrictions': 'permit_mynetworks,reject' } },
  { name: 'an override that is given twice',
    main: plain,
    master: submission(' -o smtpd_sasl_auth_enable=yes -o smtpd_recipient_restrictions=permit', ' -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject'),
    overrides: { 'submission/inet/smtpd_recipient_restrictions': `${CHECK}, permit_sasl_authenticated,reject` } },
  { name: 'a parameter of main.cf’s list that is set with -o',
    main: 'smtpd_sasl_auth_enable = yes\nmine = permit_mynetworks\nsmtpd_recipient_restrictions = $mine, reject\n',
    master: submission(' -o mine=permit_sasl_authenticated'),
    main_: { mine: 'permit_mynetworks', smtpd_recipient_restrictions: `${CHECK}, $mine, reject` },
    overrides: { 'submission/inet/mine': 'permit_sasl_authenticated' } },
  { name: 'a service by number that overrides the relay list alone',
    main: `${plain}smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination\n`,
    master: `${smtp}465 inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes\n  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n`,
    main_: { smtpd_recipient_restrictions: CHECK },
    overrides: { '465/inet/smtpd_relay_restrictions': 'permit_sasl_authenticated,reject' } },
  { name: 'services with addresses, pass and odd layout',
    main: 'smtpd_sasl_auth_enable = yes\n',
    master: `smtp inet n - y - 1 postscreen
smtpd pass - - y - - smtpd -o
  smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination
127.0.0.1:2525 inet n - y - - smtpd
# in between
  -o syslog_name=x
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
[::1]:2525 inet n - y - - smtpd -o smtpd_recipient_restrictions=reject
cleanup unix n - y - 0 cleanup
`,
    overrides: { 'smtpd/pass/smtpd_recipient_restrictions': `${CHECK}, permit_mynetworks,reject_unauth_destination`, '127.0.0.1:2525/inet/smtpd_recipient_restrictions': `${CHECK}, permit_sasl_authenticated,reject` } },
];
