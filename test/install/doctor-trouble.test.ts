// What doctor says about a default_action: what smtpd does while the policy service does not answer.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { troubleFindings } from '../../src/doctor/trouble-check';
import { Postfix } from '../../src/postfix/postfix';
import { needs } from '../requires';

const list = (check: string) => `smtpd_recipient_restrictions = ${check}, permit_sasl_authenticated, reject\n`;
const target = (attributes: string) => list(`check_policy_service { unix:private/allow-nets, ${attributes} }`);
const PLAIN = list('check_policy_service unix:private/allow-nets');
const DUNNO = 'smtpd_policy_service_default_action = DUNNO\n';

describe('what smtpd does while the service does not answer', needs('postconf'), () => {
  const passes = /send from everywhere$/;
  const deferred = /mail is deferred/;
  const refused = /refused for good$/;
  const cases: [name: string, main: string, message: RegExp, words?: string][] = [
    ['Postfix’s own default', PLAIN, deferred],
    ['DUNNO in main.cf', DUNNO + PLAIN, passes],
    ['DUNNO by -o', PLAIN, passes, '-vo smtpd_policy_service_default_action=DUNNO'],
    [
      'DUNNO under stress',
      `smtpd_policy_service_default_action = $\{stress?{DUNNO}:{451 4.3.5 Later}}\n${PLAIN}`,
      passes,
    ],
    ['DUNNO of the check', target('default_action=DUNNO'), passes],
    ['451 of the check', DUNNO + target('{ default_action = 451 4.3.5 Later, please }'), deferred],
    ['through a variable', `mine = 451 4.3.5 x\n${DUNNO}${target('{ default_action = $mine }')}`, deferred],
    ['the last of two', target('default_action=DEFER, default_action=OK'), passes],
    ['reject', `smtpd_policy_service_default_action = reject now\n${PLAIN}`, refused],
    ['451 without a text', target('default_action=451'), passes],
    ['450 without a text in main.cf', `smtpd_policy_service_default_action = 450\n${PLAIN}`, passes],
    ['550', target('{ default_action = 550 5.1.1 x }'), refused],
    ['defer with another code', `access_map_defer_code = 550\n${target('default_action=defer')}`, refused],
    ['a class', `smtpd_restriction_classes = own\nown = permit\n${target('default_action=own')}`, passes],
  ];
  for (const [name, main, message, words = ''] of cases) {
    test(name, () => {
      const master = `smtp inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes ${words}\n`;
      const asking = { postfix: new Postfix(null), files: { main, master }, target: 'allow-nets', policy: null };
      const [finding, ...more] = troubleFindings(asking);
      assert.deepEqual(more, []);
      assert.match(finding?.message ?? '', message);
      assert.equal(finding?.status, message === deferred ? 'ok' : 'fail');
    });
  }
});
