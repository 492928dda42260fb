// main.cf and master.cf in the styles of published configurations, on a real Postfix: after install no service lets alice send from outside. What
// may do so all the same must have been named by install and doctor.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requires';
import { smallMasterCf } from '../rig/master-cf';
import { INSIDE, OUTSIDE, useSite } from './site';

/** What follows `smtpd` in the entry, as it stands in the file. All of them let whoever has logged in send from everywhere. */
const STYLES = {
  shipped: `
  -o syslog_name=postfix/$service_name
#  -o smtpd_tls_auth_only=yes
  -o smtpd_client_restrictions=
  -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject
  -o milter_macro_daemon_name=ORIGINATING`,
  mua: ` -o smtpd_recipient_restrictions=$mua_recipient_restrictions`,
  bundled: ` -vo smtpd_recipient_restrictions=permit_sasl_authenticated,reject`,
  joined: ` -osmtpd_recipient_restrictions=permit_sasl_authenticated,reject`,
  braces: ` -o { smtpd_recipient_restrictions = permit_sasl_authenticated,
# a comment in the middle

     reject } -v`,
  zimbra: `
\t-o content_filter=
\t-o smtpd_client_restrictions=
\t-o smtpd_recipient_restrictions=
\t-o smtpd_relay_restrictions=permit_sasl_authenticated,reject`,
  mailcow: `
  -o smtpd_client_restrictions=permit_mynetworks,permit_sasl_authenticated,reject
  -o smtpd_sender_restrictions=check_sasl_access,static:DUNNO,permit_mynetworks,permit_sasl_authenticated,reject_unlisted_sender`,
  modoboa: ` -o { smtpd_recipient_restrictions =
      permit_mynetworks
      permit_sasl_authenticated
      check_recipient_access
          static:DUNNO
          static:DUNNO
      reject_unauth_destination }`,
  iRedMail: ` -o { smtpd_recipient_restrictions = reject_non_fqdn_recipient
    check_policy_service { inet:127.0.0.1:9, timeout=1s, default_action=DUNNO }
    permit_mynetworks permit_sasl_authenticated reject_unauth_destination }`,
  ispConfig: ` -o { greylisting = check_policy_service { inet:127.0.0.1:9, timeout=1s, default_action=DUNNO } }
  -o smtpd_restriction_classes=greylisting
  -o { smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, check_recipient_access inline:{ {g@example.net = greylisting} }, reject }`,
  classes: ` -o smtpd_restriction_classes=ours,theirs -o { ours = theirs, reject } -o theirs=permit_mynetworks
  -o smtpd_recipient_restrictions=ours`,
  early: ` -o smtpd_delay_reject=no -o { smtpd_client_restrictions = check_policy_service unix:private/allow-nets }`,
  conditional: ` -o { smtpd_recipient_restrictions = $\{{$service_name} == {smtp} ? {reject} : {permit_sasl_authenticated}}, reject }`,
  program: ` -o { smtpd_recipient_restrictions = $\{{$process_name} == {smtpd} ? {permit_sasl_authenticated} : {check_policy_service unix:private/allow-nets}} }`,
  commas: ` -o { smtpd_recipient_restrictions = , ,permit_sasl_authenticated , reject, }`,
  twice: ` -o smtpd_recipient_restrictions=reject -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject`,
  trial: ` -o smtpd_restriction_classes=nets
  -o { nets = check_policy_service unix:private/allow-nets }
  -o { smtpd_recipient_restrictions = warn_if_reject nets, permit_sasl_authenticated, reject }`,
  relayed: ` -o smtpd_recipient_restrictions=$smtpd_relay_restrictions`,
  inherited: ``,
  unset: ` -o { smtpd_recipient_restrictions = $\{nothing?permit}$\{nothing:permit_sasl_authenticated}, reject }`,
  dunno: ` -o smtpd_policy_service_default_action=DUNNO
  -o { smtpd_recipient_restrictions = check_policy_service { unix:private/allow-nets, default_action=OK }, permit_sasl_authenticated, reject }`,
} as const;

type Style = keyof typeof STYLES;
const NAMES = Object.keys(STYLES) as Style[];

const MAIN = {
  mua_recipient_restrictions:
    '\n    # whoever has logged in\n\n    permit_sasl_authenticated,\n# and nobody else\n\treject',
  smtpd_restriction_classes: 'local_only, all',
  local_only: 'permit_mynetworks, reject',
  all: 'permit_sasl_authenticated',
  smtpd_recipient_restrictions:
    'reject_non_fqdn_recipient\n   # a table in braces\n   check_recipient_access inline:{ {never@example.net = local_only} }\n  all, reject',
} as const;

describe('published styles', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  const starts = Object.fromEntries(NAMES.map((name) => [name, 'plain'])) as Record<Style, 'plain'>;
  const site = useSite(starts, () => ({
    parameters: MAIN,
    masterCf: (ports) => {
      const entries = NAMES.map((name) => `${ports[name]} inet n - n - - smtpd${STYLES[name]}`);
      return `# ours\n${entries.join('\n')}\n${smallMasterCf([], [])}`;
    },
  }));

  test('on trial nobody is refused, and the log says who would be', async () => {
    const { status, stdout } = site.onPostfix('install', '--yes', '--one-shot', '--trial', '--user', 'daemon');
    assert.match(stdout, /\ninstalled: service allow-nets as daemon, one process a request, trial: no user is refused/);
    assert.equal(status, 0);
    assert.deepEqual(await site.replies(), site.expected(false));
    const warned = new Set(
      site.postfix.log().match(/(?<=smtpd\[)\d+(?=\].*reject_warning: RCPT from .*alice may not send)/g),
    );
    assert.equal(warned.size, NAMES.length);
  });

  test('without --trial all refuse, as one-shot and as a persistent program of the same account; doctor sees it', async () => {
    for (const [words, mode] of [
      [['--one-shot'], 'one process a request'],
      [[], 'persistent'],
    ] as const) {
      const { status, stdout } = site.onPostfix('install', '--yes', ...words);
      assert.match(stdout, new RegExp(`\\ninstalled: service allow-nets as daemon, ${mode}, enforcing`));
      assert.equal(status, 0);
      assert.deepEqual(await site.replies(), site.expected(true));
    }
    assert.doesNotMatch(site.read('main.cf'), /request_limit/);
    const doctor = site.onPostfix('doctor');
    assert.equal(doctor.status, 0, doctor.stdout);
    assert.equal(doctor.stdout.match(/^ok {4}asked by /gm)?.length, NAMES.length, doctor.stdout);
    assert.match(site.onPostfix('install', '--yes').stdout, /^already installed/);
  });

  test('without the service everybody waits', async () => {
    await site.postfix.command('postconf', '-MX', 'allow-nets/unix');
    await site.postfix.reload();
    // A check in the client list with smtpd_delay_reject=no already ends the greeting.
    for (const name of NAMES) if (name !== 'early') assert.match(await site.send(name, INSIDE), /^451 /, name);
  });

  test('uninstall removes the checks, also those written by hand, and nothing else', async () => {
    assert.equal(site.onPostfix('uninstall', '--yes').status, 0);
    const left = await site.configuration();
    assert.equal(left.main, site.original.main);
    const lines = (text: string) => text.split('\n').filter((line) => !/private\/allow-nets|-osmtpd/.test(line));
    const kept = new Set(left.master.split('\n'));
    assert.deepEqual(
      lines(site.original.master).filter((line) => !kept.has(line)),
      [],
    );
    assert.doesNotMatch(left.master, /private\/allow-nets/);
    assert.match(await site.send('mua', OUTSIDE), /^250 /);
    // The check was alone in the restriction class of this service, and smtpd does not start with an empty one.
    assert.match(await site.send('trial', OUTSIDE), /^250 /);
  });
});
