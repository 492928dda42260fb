// Whether a service asks the check, judged by what Postfix itself says: its expanded values, its built-in defaults, and the words of its manual.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { servicesOf } from '../../src/postfix/config-text';
import { RESTRICTIONS } from '../../src/postfix/restriction-table';
import { serviceCheck } from '../../src/postfix/restrictions';
import { needs } from '../requires';

const CHECK = 'check_policy_service unix:private/allow-nets';

/** What a service `smtp` with these -o words says: asked, trial, or what stands before the check. */
function checkState(main: string, words = ''): string {
  const files = {
    main: `compatibility_level = 3.6\n${main}`,
    master: `smtp inet n - n - - smtpd ${words}\n`,
  };
  const [service] = servicesOf(files.master);
  assert.ok(service !== undefined);
  const first = serviceCheck(files, service, 'allow-nets');
  if (first === undefined) return 'absent';
  if (first.skip === null) return first.trial ? 'trial' : 'asked';
  return `${first.skip.certainty === 'always' ? 'skipped' : 'may be skipped'} by ${first.skip.by}`;
}

const list = (text: string) => `smtpd_recipient_restrictions = ${text}\n`;

describe('the judgement of a list', needs('postconf'), () => {
  const nested = (depth: number) => Array.from({ length: depth }, (_, i) => `c${i} = c${i + 1}\n`).join('');
  const names = (depth: number) => Array.from({ length: depth + 1 }, (_, i) => `c${i}`).join(' ');
  const doubling = (depth: number, last: string) =>
    `smtpd_restriction_classes = ${names(depth)}\n${Array.from({ length: depth }, (_, i) => `c${i} = c${i + 1} c${i + 1}\n`).join('')}c${depth} = ${last}\n`;
  // biome-ignore format: a case a line
  const cases: [string, string, string, string?][] = [
    ['alone', list(CHECK), 'asked'],
    ['in braces', list(`check_policy_service { unix:private/allow-nets, request_limit=1 }`), 'asked'],
    ['over lines, with a comment', list(`\n # x\n  reject_unlisted_sender\n\t${CHECK}`), 'asked'],
    ['in capitals', list(`PERMIT_MYNETWORKS ${CHECK}`), 'may be skipped by permit_mynetworks'],
    ['trial', list(`warn_if_reject ${CHECK}`), 'trial'],
    ['trial of a class', `smtpd_restriction_classes = nets\nnets = ${CHECK}\n${list('warn_if_reject nets')}`, 'trial'],
    ['trial of a class in a class', `smtpd_restriction_classes = a, b\na = b\nb = ${CHECK}\n${list('warn_if_reject, a')}`, 'trial'],
    ['trial of the one before', list(`warn_if_reject reject_unlisted_sender, ${CHECK}`), 'asked'],
    ['trial of a reject', list(`warn_if_reject reject, ${CHECK}`), 'asked'],
    ['behind reject', list(`reject, ${CHECK}`), 'skipped by reject'],
    ['behind a default that permits', list(`$smtpd_relay_restrictions, ${CHECK}`), 'skipped by permit_sasl_authenticated'],
    ['behind a default that permits, in round brackets', list(`$(smtpd_relay_restrictions), ${CHECK}`), 'skipped by permit_sasl_authenticated'],
    ['behind $mua_ with a default that permits', `mua = $\{smtpd_relay_restrictions}\n${list(`$mua ${CHECK}`)}`, 'skipped by permit_sasl_authenticated'],
    ['behind a conditional', list(`$\{mail_version?{permit}:{reject}}, ${CHECK}`), 'skipped by permit'],
    ['behind one without an argument', list(`reject_maps_rbl, permit_sasl_authenticated, ${CHECK}`), 'skipped by permit_sasl_authenticated'],
    ['behind one with an argument', list(`reject_rbl_client permit, sleep 1, ${CHECK}`), 'asked'],
    ['behind a list of those that have certificates', list(`permit_tls_clientcerts, ${CHECK}`), 'may be skipped by permit_tls_clientcerts'],
    ['behind defer_if_permit', list(`defer_if_permit, ${CHECK}`), 'asked'],
    ['behind a table, which is not the worst', list(`check_client_access cidr:/x, permit_mynetworks ${CHECK}`), 'may be skipped by permit_mynetworks'],
    ['behind a table that permits all', list(`check_client_access static:{OK}, ${CHECK}`), 'skipped by check_client_access static:{OK}'],
    ['behind a bare table', list(`cidr:/x, ${CHECK}`), 'may be skipped by cidr:/x'],
    ['behind an unknown word', list(`permit_what, ${CHECK}`), 'may be skipped by permit_what'],
    ['behind a class that permits', `smtpd_restriction_classes = $cl\ncl = own\nown = sleep 1, permit\n${list(`own, ${CHECK}`)}`, 'skipped by permit'],
    ['behind classes in classes', `smtpd_restriction_classes = ${names(30)}\n${nested(30)}c30 = permit\n${list(`c0 ${CHECK}`)}`, 'skipped by permit'],
    ['behind a class without end', `smtpd_restriction_classes = a\na = a\n${list(`a ${CHECK}`)}`, 'may be skipped by a'],
    ['behind classes that double', `${doubling(30, 'sleep 1')}${list(`c0 ${CHECK}`)}`, 'may be skipped by a part that is too long to judge'],
    ['behind classes that double and are empty', `${doubling(60, '')}${list(`c0 ${CHECK}`)}`, 'may be skipped by a part that is too long to judge'],
    ['ahead of classes that double', `${doubling(60, '')}${list(`${CHECK} c0`)}`, 'asked'],
    ['behind another service', list(`check_policy_service unix:private/other ${CHECK}`), 'may be skipped by check_policy_service unix:private/other'],
    ['behind a conditional on the service', list(`$\{{$service_name} == {smtp} ? {permit} : {reject_unlisted_sender}}, ${CHECK}`), 'skipped by permit'],
    ['behind a conditional on the program, by -o', list(`$mine, ${CHECK}`), 'skipped by permit', `-o {mine=$\{{$process_name} == {smtpd} ? {permit} : {reject_unlisted_sender}}}`],
    ['behind a permit under stress', list(`$\{stress?permit_sasl_authenticated}, ${CHECK}`), 'skipped by permit_sasl_authenticated'],
    ['absent under stress', list(`$\{stress?{reject_unlisted_sender}:{${CHECK}}}`), 'absent'],
    ['on trial under stress', list(`$\{stress?warn_if_reject} ${CHECK}`), 'trial'],
    ['stress elsewhere', `smtpd_timeout = $\{stress?{10}:{300}}s\n${list(CHECK)}`, 'asked'],
    ['in the HELO list', `smtpd_helo_restrictions = ${CHECK}\n`, 'asked'],
    ['in the HELO list, too early', `smtpd_delay_reject = no\nsmtpd_helo_restrictions = ${CHECK}\n`, 'absent'],
    ['under another scheme', list('check_policy_service local:private/allow-nets'), 'asked'],
    ['by its path', list('check_policy_service unix:$queue_directory/private/allow-nets'), 'asked'],
    ['of another instance', list('check_policy_service unix:/elsewhere/private/allow-nets'), 'absent'],
    ['replaced by -o', list(CHECK), 'absent', '-o smtpd_recipient_restrictions='],
    ['replaced by a bundled -o', list(CHECK), 'absent', '-vo smtpd_recipient_restrictions=permit'],
    ['replaced by a joined -o', list(CHECK), 'absent', '-vDosmtpd_recipient_restrictions=permit'],
    ['replaced in braces', list(CHECK), 'absent', '-o { smtpd_recipient_restrictions = permit }'],
    ['a parameter set by -o', list(`$mine ${CHECK}`), 'skipped by permit', '-vo mine=permit'],
    ['an -o behind a word that ends the options', list(CHECK), 'asked', 'x -o smtpd_recipient_restrictions='],
    ['a class made by -o', list(`own ${CHECK}`), 'may be skipped by permit_mynetworks', '-o smtpd_restriction_classes=own -o own=permit_mynetworks'],
    ['the last of two -o', list(''), 'asked', `-o smtpd_recipient_restrictions=permit -o {smtpd_recipient_restrictions=${CHECK}}`],
  ];
  for (const [name, main, expected, words] of cases) {
    test(name, () => assert.equal(checkState(main, words), expected));
  }
});

test(
  'every restriction that the installed postconf(5) names is known, with its argument',
  needs('postconf', 'man'),
  () => {
    const file = execFileSync('man', ['-w', '5', 'postconf'], { encoding: 'utf8' }).trim();
    const source = execFileSync(file.endsWith('.gz') ? 'zcat' : 'cat', [file], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    });
    const sections = source.split(/^\.SH /m).filter((text) => /^smtpd_\w+_restrictions /.test(text));
    assert.ok(sections.length >= 8);
    let count = 0;
    for (const [, word = '', argument] of sections.join('\n').matchAll(/^\.IP "\\fB([a-z_]+) ?(\\fI.*)?\\fR/gm)) {
      if (word === 'warn_if_reject') continue;
      count++;
      const known = RESTRICTIONS.get(word);
      assert.ok(known !== undefined, `${word} is not in the table`);
      assert.equal(known.argument, argument !== undefined, word);
      if (/^(permit|check)_/.test(word)) assert.notEqual(known.effect, 'goes on', word);
    }
    assert.ok(count > 60, `${count} found`);
  },
);
