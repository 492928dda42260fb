// Reduced forms of configurations that panels and how-tos publish, on a real Postfix: the trial, the installation and its removal. A service
// with AUTH refuses alice from outside afterwards, one without AUTH has no check of its own, and uninstall leaves both files byte for byte.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { smallMasterCf } from '../rig/master-cf';
import { Site } from './site';

interface Published {
  /** The parameters of main.cf. */
  readonly main: Readonly<Record<string, string>>;
  /** The services of smtpd, with AUTH (`with...`) and without: what follows the port. */
  readonly services: Readonly<Record<string, string>>;
}

const AUTH = 'smtpd_sasl_auth_enable=yes';
const NO_AUTH = { smtpd_sasl_auth_enable: 'no' };
/** The port to which a content filter gives mail back (amavis, mlmmj). */
const REINJECT = ` n - n - 10 smtpd
    -o content_filter=
    -o mynetworks=127.0.0.0/8
    -o smtpd_restriction_classes=
    -o smtpd_delay_reject=no
    -o smtpd_client_restrictions=permit_mynetworks,reject
    -o smtpd_helo_restrictions=
    -o smtpd_sender_restrictions=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o smtpd_end_of_data_restrictions=
    -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters`;
const POSTGREY = 'check_policy_service { inet:127.0.0.1:9, timeout=1s, default_action=DUNNO }';

// biome-ignore format: a line for each part
const PUBLISHED: Readonly<Record<string, Published>> = {
  'iRedMail': {
    main: { ...NO_AUTH,
      smtpd_helo_restrictions: '\n    permit_mynetworks\n    permit_sasl_authenticated\n    reject_non_fqdn_helo_hostname',
      smtpd_sender_restrictions: '\n    reject_non_fqdn_sender\n    permit_mynetworks\n    permit_sasl_authenticated\n    check_sender_access static:DUNNO',
      smtpd_recipient_restrictions: `\n    reject_non_fqdn_recipient\n    ${POSTGREY}\n    permit_mynetworks\n    permit_sasl_authenticated\n    reject_unauth_destination\n    ${POSTGREY}`,
      smtpd_end_of_data_restrictions: `\n    ${POSTGREY}`,
      smtpd_data_restrictions: 'reject_unauth_pipelining' },
    services: { smtp: ' n - n - - smtpd', reinject: REINJECT,
      withSubmission: ` n       -       n       -       -       smtpd\n  -o syslog_name=postfix/submission\n  -o ${AUTH}\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject`,
      withSmtps: ` n - n - - smtpd\n  -o syslog_name=postfix/smtps\n  -o ${AUTH}\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject` } },
  'mailcow': {
    main: { smtpd_relay_restrictions: 'permit_mynetworks,\n  permit_sasl_authenticated,\n  defer_unauth_destination',
      smtpd_hard_error_limit: `$\{stress?1}$\{stress:50}`, smtpd_delay_reject: 'yes',
      smtpd_recipient_restrictions: 'permit_sasl_authenticated,\n  permit_mynetworks,\n  check_recipient_access inline:{ {x@example.net = reject} },\n  reject_invalid_helo_hostname,\n  reject_unauth_destination',
      smtpd_sender_restrictions: 'permit_mynetworks,\n  permit_sasl_authenticated,\n  reject_unlisted_sender',
      smtpd_data_restrictions: 'reject_unauth_pipelining, permit' },
    services: { smtpd: ' n - n - - smtpd\n  -o smtpd_helo_restrictions=permit_mynetworks,reject_non_fqdn_helo_hostname\n  -o smtpd_sasl_auth_enable=no',
      with587: ' n - n - - smtpd\n  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject\n  -o tls_preempt_cipherlist=yes',
      with588: ' n      -       n       -       -       smtpd\n  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject\n  -o smtpd_tls_auth_only=no\n  -o smtpd_sender_restrictions=check_sasl_access,static:DUNNO,permit_mynetworks,permit_sasl_authenticated,reject_unlisted_sender',
      with590: ' n - n - - smtpd\n  -o smtpd_client_restrictions=permit_mynetworks,reject\n  -o smtpd_milters=\n  -o non_smtpd_milters=' } },
  'ISPConfig': {
    main: { smtpd_restriction_classes: 'greylisting',
      greylisting: POSTGREY,
      smtpd_recipient_restrictions: 'permit_mynetworks, reject_unknown_recipient_domain, reject_unlisted_recipient, check_recipient_access static:DUNNO, permit_sasl_authenticated, reject_non_fqdn_recipient, reject_unauth_destination, check_recipient_access inline:{ {g@example.net = greylisting} }',
      smtpd_relay_restrictions: 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
      smtpd_client_restrictions: 'check_client_access static:DUNNO, permit_inet_interfaces, permit_mynetworks, permit_sasl_authenticated, reject_unauth_pipelining, permit',
      smtpd_sender_restrictions: 'permit_mynetworks, check_sender_access static:DUNNO, permit_sasl_authenticated, reject_non_fqdn_sender' },
    services: { withSmtp: ' n       -       n       -       -       smtpd', reinject: `${REINJECT}\n    -o smtpd_sasl_auth_enable=no`,
      withSubmission: ` n - n - - smtpd\n -o syslog_name=postfix/submission\n -o ${AUTH}\n -o smtpd_client_restrictions=permit_sasl_authenticated,reject`,
      withSmtps: ` n - n - - smtpd\n  -o ${AUTH}\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject` } },
  'Modoboa': {
    main: { smtpd_recipient_restrictions: '\n      permit_mynetworks\n      permit_sasl_authenticated\n      check_recipient_access\n          static:DUNNO\n          static:DUNNO\n      reject_unauth_destination\n      reject_non_fqdn_sender' },
    services: { withSmtp: ' n       -       n       -       -       smtpd\n  -o smtpd_proxy_options=speed_adjust',
      withSubmission: ` n - n - - smtpd\n  -o syslog_name=postfix/submission\n  -o ${AUTH}\n  -o smtpd_reject_unlisted_recipient=no\n  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n  -o smtpd_helo_restrictions=\n  -o smtpd_sender_restrictions=` } },
  'Plesk': {
    main: { smtpd_recipient_restrictions: 'permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination',
      smtpd_client_restrictions: 'permit_mynetworks, permit_sasl_authenticated',
      smtpd_sender_restrictions: 'check_sender_access static:DUNNO, permit_sasl_authenticated',
      smtpd_policy_service_default_action: 'DUNNO' },
    services: { withSmtp: ' n - n - - smtpd -o smtpd_proxy_timeout=3600s',
      withSubmission: ` n - n - - smtpd -o ${AUTH} -o smtpd_client_restrictions=permit_sasl_authenticated,reject -o smtpd_sender_restrictions= -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject` } },
  'Zimbra': {
    main: { smtpd_relay_restrictions: '', smtpd_delay_reject: 'yes',
      smtpd_client_restrictions: 'reject_unauth_pipelining, permit_mynetworks, permit_sasl_authenticated',
      smtpd_recipient_restrictions: 'reject_non_fqdn_recipient, permit_sasl_authenticated, permit_mynetworks, reject_unlisted_recipient, reject_unauth_destination, permit',
      smtpd_sender_restrictions: 'check_sender_access static:DUNNO, permit_mynetworks, permit_sasl_authenticated, permit_tls_clientcerts',
      smtpd_data_restrictions: 'reject_unauth_pipelining',
      smtpd_end_of_data_restrictions: '' },
    services: { withSmtp: ' n - n - 1 smtpd\n        -o smtpd_tls_wrappermode=no',
      with465: ` n    -       n       -       -       smtpd\n\t-o content_filter=\n\t-o ${AUTH}\n\t-o syslog_name=postfix/smtps\n\t-o smtpd_client_restrictions=\n\t-o smtpd_data_restrictions=\n\t-o smtpd_helo_restrictions=\n\t-o smtpd_recipient_restrictions=\n\t-o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n\t-o milter_macro_daemon_name=ORIGINATING`,
      reinject: `${REINJECT}\n    -o smtpd_sasl_auth_enable=no` } },
  'a backup MX': {
    main: { ...NO_AUTH, relay_domains: 'example.net', smtpd_recipient_restrictions: 'permit_mynetworks, reject_unauth_destination, permit_mx_backup' },
    services: { smtp: ' n - n - - smtpd', submission: ' n - n - - smtpd -o smtpd_recipient_restrictions=permit_mynetworks,reject' } },
};

describe('published configurations', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  for (const [name, { main, services }] of Object.entries(PUBLISHED)) {
    test(name, async () => {
      const names = Object.keys(services);
      const offering = names.filter((service) => service.startsWith('with'));
      const site = new Site(Object.fromEntries(offering.map((one) => [one, 'plain' as const])));
      await site.open(() => ({
        listeners: Object.fromEntries(names.map((one) => [one, []])),
        parameters: main,
        masterCf: (ports) =>
          `${names.map((one) => `${ports[one]} inet${services[one]}`).join('\n')}\n\n# ==\n${smallMasterCf([], [])}`,
      }));
      try {
        const files = () => ({ main: site.read('main.cf'), master: site.read('master.cf') });
        const before = files();
        const trial = site.onPostfix('install', '--trial', '--yes');
        if (offering.length === 0) {
          assert.match(trial.stderr, /^allow-nets: error: no smtpd service offers AUTH/);
          assert.deepEqual(files(), before);
          return;
        }
        const findings = () => {
          const { status, stdout } = site.onPostfix('doctor');
          return {
            status,
            found: stdout.match(/^(?:ok +asked|warn +\w+|fail +\w+)/gm)?.map((line) => line.replace(/ +/, ' ')),
          };
        };
        const asked = offering.map(() => 'ok asked');
        assert.equal(trial.status, 0, trial.stderr);
        assert.deepEqual(findings(), { status: 0, found: [...asked, 'warn trial'] });
        assert.deepEqual(await site.replies(), site.expected(false));
        const install = site.onPostfix('install', '--yes');
        assert.equal(install.status, 0, install.stderr);
        assert.deepEqual(findings(), { status: 0, found: asked });
        assert.deepEqual(await site.replies(), site.expected(true));
        assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
        assert.deepEqual(files(), before);
      } finally {
        site.close();
      }
    });
  }
});
