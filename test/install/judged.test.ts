// The judgement of restriction lists against smtpd itself, on random ones: where a check is said to be asked and to refuse, no mail passes
// from outside. SEED=... tries others.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { servicesOf } from '../../src/postfix/config-text';
import { serviceCheck } from '../../src/postfix/restrictions';
import { needs } from '../requires';
import { smallMasterCf } from '../rig/master-cf';
import { oneOf, type Pick, picks } from '../rig/random';
import { OUTSIDE, useSite } from './site';

const NAMES = Array.from({ length: 40 }, (_, i) => `s${i}`);

// biome-ignore format: a list of words
const CHECKS = [
  'check_policy_service unix:private/allow-nets', 'check_policy_service { unix:private/allow-nets, timeout=20s }',
  'check_policy_service unix:$queue_directory/private/allow-nets',
  'warn_if_reject check_policy_service unix:private/allow-nets', 'Check_Policy_Service,unix:private/allow-nets',
];
// biome-ignore format: a list of words
const OTHERS = [
  'permit', 'permit_mynetworks', 'permit_sasl_authenticated', 'permit_auth_destination', 'permit_inet_interfaces',
  'permit_tls_clientcerts', 'permit_naked_ip_address', 'reject_non_fqdn_sender', 'reject_unlisted_sender',
  'reject_unauth_pipelining', 'reject_sender_login_mismatch', 'reject_known_sender_login_mismatch', 'reject_maps_rbl',
  'reject_invalid_hostname', 'defer_if_permit', 'warn_if_reject reject', 'warn_if_reject, permit', 'sleep 0',
  'check_client_access inline:{ {127.0.0.9 = OK} }', 'check_client_access inline:{ {127.0.0.9 = warn_if_reject} }',
  'check_sasl_access inline:{ {alice = OK} }', 'check_sender_access static:ok', 'check_sender_access static:{DUNNO}',
  'check_sender_access static:DUNNO', 'check_recipient_access inline:{ {example.net = permit_sasl_authenticated} }',
  'check_helo_access static:permit', 'static:ok', 'one', 'two', 'warn_if_reject two', 'three', '$mine', `$\{mine}`,
  '$smtpd_relay_restrictions', `$\{unset}`, `$\{unset?permit}`,
  `$\{{$service_name} == {x} ? {permit} : {reject_unlisted_sender}}`,
  `$\{{$process_name} == {smtpd} ? {permit} : {reject_unlisted_sender}}`,
];
const LISTS = ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data'];

function list(pick: Pick, checks: number): string {
  const items = Array.from({ length: pick(3) }, () => oneOf(pick, OTHERS));
  if (pick(10) < checks) items.splice(pick(items.length + 1), 0, oneOf(pick, CHECKS));
  return items.join(oneOf(pick, [', ', ' ', ',']));
}
const bare = (text: string) =>
  text.replace(/\$(\{mine\??\w*\}|mine)|\b(one|two|three)\b|\$smtpd_relay_restrictions/g, 'sleep 0');

/** Without one of these words smtpd does not start. */
const WORKING = 'permit_mynetworks reject_unauth_destination';

function entry(pick: Pick, port: number): string {
  const names = LISTS.filter((name) => pick(100) < (name === 'recipient' ? 60 : 14));
  const words = names.map((name) => {
    const text = name === 'relay' ? bare(list(pick, 7)) : list(pick, 7);
    return ` -o { smtpd_${name}_restrictions = ${text} ${/^re/.test(name) ? WORKING : ''}}`;
  });
  if (pick(10) < 2) words.push(' -o smtpd_delay_reject=no');
  if (pick(10) < 3) words.push(` -o { two = sleep 0 ${bare(list(pick, 4))} }`);
  if (pick(10) < 3) words.push(` -o { mine = ${bare(list(pick, 4))} }`);
  return `${port} inet n - n - - smtpd${words.join('')}`;
}

/**
 * With smtpd_delay_reject=no smtpd refuses the connection or MAIL by the lists of client and sender, and the client does
 * not go on. Postfix 3.9 and newer also refuse the connection if a list holds an obsolete word.
 */
function refusedEarly(error: Error): string {
  const [, reply] = /^expected 2[25]0, got ([45]\d\d .*)/s.exec(error.message) ?? [];
  if (reply === undefined) throw error;
  return reply;
}

describe('random lists', needs('root', 'postfix', 'dovecot', 'openssl'), () => {
  const starts = Object.fromEntries(NAMES.map((name) => [name, 'plain' as const]));
  const site = useSite<string>(starts, (policy) => {
    const [pick] = fc.sample(picks, { seed: Number(process.env['SEED'] ?? 5), numRuns: 1 });
    assert.ok(pick);
    return {
      parameters: {
        smtpd_restriction_classes: 'one two, three',
        one: `sleep 0, ${bare(list(pick, 3))}`,
        two: `sleep 0 ${bare(list(pick, 3))}`,
        three: 'two',
        mine: bare(list(pick, 2)),
        smtpd_relay_restrictions: WORKING,
        smtpd_recipient_restrictions: `${list(pick, 5)} ${WORKING}`,
      },
      masterCf: (ports) => {
        const services = [policy.service('allow-nets', '--persistent', '--log', 'none')];
        return `${NAMES.map((name) => entry(pick, ports[name] ?? 0)).join('\n')}\n${smallMasterCf([], services)}`;
      },
    };
  });

  test('no mail passes where the check is in the list', { timeout: 200_000 }, async () => {
    const files = { main: site.read('main.cf'), master: site.read('master.cf'), folder: site.postfix.configDir };
    let refused = 0;
    for (const name of NAMES) {
      const service = servicesOf(files.master).find((one) => one.name === String(site.postfix.ports[name]));
      assert.ok(service);
      const check = serviceCheck(files, service, 'allow-nets');
      if (check === undefined || check.skip !== null || check.trial) continue;
      const reply = await site.send(name, OUTSIDE).catch(refusedEarly);
      assert.doesNotMatch(
        reply,
        /^250/,
        JSON.stringify({ check, overrides: [...service.overrides], main: files.main }),
      );
      if (reply.includes('may not send mail')) refused++;
    }
    assert.ok(refused > 0);
  });
});
