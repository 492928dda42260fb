// The plan of install and uninstall, on texts alone: what is written where, and that uninstall leaves no trace.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { editParameters, servicesOf } from '../../src/postfix/config-text';
import type { ConfigFiles } from '../../src/postfix/configuration';
import { installPlan, uninstallPlan, type Wanted } from '../../src/postfix/plan';
import { ACTION, CONFIGURATIONS } from './configurations';

const WANTED: Wanted = {
  name: 'allow-nets',
  user: 'nobody',
  argv: ['/usr/bin/node', '/opt/allow-nets.js', '--persistent', '--db', '/var/lib/allow-nets/access.db'],
  oneShot: false,
  trial: false,
};

const FORMS = [
  { oneShot: false, trial: false },
  { oneShot: false, trial: true },
  { oneShot: true, trial: false },
  { oneShot: true, trial: true },
];

const install = (files: ConfigFiles, wanted: Wanted = WANTED): ConfigFiles => installPlan(files, wanted)[1];
const uninstall = (files: ConfigFiles): ConfigFiles => uninstallPlan(files, 'allow-nets');

/** The value of the last definition in main.cf, without its comments and line breaks; null where there is none. */
function definedValue(main: string, name: string): string | null {
  let found: string | null = null;
  editParameters(main, (value, parameter) => {
    if (parameter === name)
      found = value
        .replace(/\n\s*#.*/g, '')
        .replace(/\n/g, '')
        .trim();
    return value;
  });
  return found;
}

const AUTH = '-o smtpd_sasl_auth_enable=yes';

for (const { name, main, master, main_, overrides } of CONFIGURATIONS) {
  describe(name, () => {
    const before = { main, master };
    test('the values are correct, and a second install changes nothing', () => {
      const files = install(before);
      for (const [parameter, value] of Object.entries(main_ ?? {})) {
        assert.equal(definedValue(files.main, parameter), value);
      }
      assert.equal(definedValue(files.main, 'allow-nets_time_limit'), '3600');
      for (const [path, value] of Object.entries(overrides ?? {})) {
        const [service = '', type = '', parameter = ''] = path.split('/');
        const found = servicesOf(files.master).find((one) => one.name === service && one.type === type);
        assert.equal(found?.overrides.get(parameter), value);
      }
      assert.deepEqual(install(files), files);
    });
    test('uninstall leaves no trace, whatever form the check has or had', () => {
      for (const first of FORMS) {
        const installed = install(before, { ...WANTED, ...first });
        assert.deepEqual(uninstall(installed), before);
        for (const second of FORMS.filter((form) => form.oneShot !== first.oneShot)) {
          const changed = install(installed, { ...WANTED, ...second });
          assert.deepEqual(changed, install(before, { ...WANTED, ...second }));
          assert.deepEqual(uninstall(changed), before);
        }
      }
    });
    test('uninstall keeps later changes of the administrator', () => {
      const installed = install(before);
      const touched = {
        main: `# mine\n${installed.main.endsWith('\n') ? installed.main : `${installed.main}\n`}biff = no\n`,
        master: installed.master.replace(/^smtp .*\n/, (line) => `# mine\n${line}`),
      };
      const main = before.main.endsWith('\n') ? before.main : `${before.main}\n`;
      const left = uninstall(touched);
      assert.equal(left.main, `# mine\n${main}biff = no\n`);
      assert.equal(
        left.master,
        before.master.replace(/^smtp .*\n/, (line) => `# mine\n${line}`),
      );
    });
  });
}

describe('checks that are present already', () => {
  const form = (list: string) => `smtpd_sasl_auth_enable = yes\nsmtpd_recipient_restrictions = ${list}\n`;
  const own = `check_policy_service { unix:private/allow-nets, ${ACTION} }`;
  // biome-ignore format: a case a line
  const cases: [string, string, string][] = [
    ['behind permit_mynetworks: moved to the front', 'permit_mynetworks, check_policy_service unix:private/allow-nets, reject', `${own}, permit_mynetworks, reject`],
    ['last, behind permit_sasl_authenticated', 'permit_sasl_authenticated, warn_if_reject check_policy_service unix:private/allow-nets', `${own}, permit_sasl_authenticated`],
    ['twice, first behind something else', 'permit_mynetworks, check_policy_service unix:private/allow-nets, check_policy_service unix:private/allow-nets, reject', `${own}, permit_mynetworks, reject`],
    ['behind a table that the administrator put first', 'check_client_access cidr:/etc/x, check_policy_service unix:private/allow-nets, permit_mynetworks', `check_client_access cidr:/etc/x, ${own}, permit_mynetworks`],
    ['behind a table, and behind something else', 'check_client_access cidr:/etc/x, permit_mynetworks, check_policy_service unix:private/allow-nets', `${own}, check_client_access cidr:/etc/x, permit_mynetworks`],
    ['behind a table that permits everybody', 'check_client_access static:ok, check_policy_service unix:private/allow-nets', `${own}, check_client_access static:ok`],
    ['behind a restriction that is not known', 'permit_by_magic, check_policy_service unix:private/allow-nets, reject', `${own}, permit_by_magic, reject`],
    ['with other attributes, which stay', 'check_policy_service { unix:private/allow-nets, timeout=10s, request_limit=1 }, permit_mynetworks', `check_policy_service { unix:private/allow-nets, timeout=10s, ${ACTION} }, permit_mynetworks`],
    ['with a default_action that lets mail pass', 'check_policy_service { unix:private/allow-nets, default_action=DUNNO }, permit_mynetworks', `${own}, permit_mynetworks`],
    ['with a temporary default_action of the administrator', 'check_policy_service { unix:private/allow-nets, { default_action = 450 4.7.1 Later } }, reject', 'check_policy_service { unix:private/allow-nets, { default_action = 450 4.7.1 Later } }, reject'],
    ['another service of a like name', 'check_policy_service unix:private/allow-nets2, permit_mynetworks', `${own}, check_policy_service unix:private/allow-nets2, permit_mynetworks`],
  ];
  for (const [name, list, expected] of cases) {
    test(name, () => {
      const files = { main: form(list), master: 'smtp inet n - y - - smtpd\n' };
      const installed = install(files);
      assert.equal(definedValue(installed.main, 'smtpd_recipient_restrictions'), expected);
      assert.ok(!/private\/allow-nets\b(?!2)/.test(uninstall(installed).main));
    });
  }
  test('alone in a restriction class: uninstall leaves a restriction that decides nothing', () => {
    const main = 'smtpd_restriction_classes = nets\nnets = check_policy_service unix:private/allow-nets\n';
    assert.equal(definedValue(uninstall({ main, master: '' }).main, 'nets'), 'check_client_access static:dunno');
  });
  test('in the relay list: that is enough, and none is added to the recipient list', () => {
    const list = 'check_policy_service unix:private/allow-nets, permit_mynetworks, reject_unauth_destination';
    const main = `smtpd_sasl_auth_enable = yes\nsmtpd_relay_restrictions = ${list}\n`;
    const installed = install({ main, master: 'smtp inet n - y - - smtpd\n' });
    assert.equal(definedValue(installed.main, 'smtpd_recipient_restrictions'), null);
  });
  test('in the relay list, which one service overrides: that service gets the check in its recipient list', () => {
    const list = 'check_policy_service unix:private/allow-nets, permit_mynetworks, reject_unauth_destination';
    const master = `smtp inet n - y - - smtpd\n465 inet n - y - - smtpd -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n`;
    const installed = install({
      main: `smtpd_sasl_auth_enable = yes\nsmtpd_relay_restrictions = ${list}\n`,
      master,
    });
    assert.equal(definedValue(installed.main, 'smtpd_recipient_restrictions'), own);
  });
  test('in the list of main.cf, which no service with AUTH uses any more: install moves it', () => {
    for (const list of [
      'smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination\n',
      'biff = no\n',
    ]) {
      const master = (options: string) => `smtp inet n - y - - smtpd\n587 inet n - y - - smtpd ${AUTH}${options}\n`;
      const shared = install({ main: list, master: master('') });
      assert.match(definedValue(shared.main, 'smtpd_recipient_restrictions') ?? '', /^check_policy_service/);
      const before = {
        main: list,
        master: master(' -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject'),
      };
      const entry = shared.master.replace(master(''), before.master);
      const moved = install({ main: shared.main, master: entry });
      assert.deepEqual(moved, install(before));
      assert.deepEqual(uninstall(moved), before);
    }
  });
  test('last in braces after a comment: the text that follows does not become part of the comment', () => {
    const list = `permit_mynetworks,\n# ours\n  check_policy_service unix:private/allow-nets`;
    const master = `smtp inet n - y - - smtpd -o { smtpd_recipient_restrictions = ${list} }\n -o syslog_name=x\n`;
    const [smtp] = servicesOf(uninstall({ main: '', master }).master);
    assert.deepEqual(
      [...(smtp?.overrides ?? [])],
      [
        ['smtpd_recipient_restrictions', 'permit_mynetworks,'],
        ['syslog_name', 'x'],
      ],
    );
  });
  test('a service entry with other words: it is corrected, and the options of the program are those of the caller', () => {
    const master = `allow-nets unix - n y - - spawn user=daemon\n  argv=/bin/old\n# end\n`;
    const installed = install({ main: '', master });
    assert.match(installed.master, /^allow-nets unix {2}- {7}n {7}n {7}- {7}0 {7}spawn user=nobody\n {4}argv=/);
    assert.ok(installed.master.endsWith('\n# end\n'));
  });
  for (const [limit, expected] of [
    ['2h', '2h'],
    ['1000', '3600'],
    ['59m', '3600'],
    ['1d', '1d'],
    ['nonsense', '3600'],
  ]) {
    test(`a time limit of ${limit}`, () => {
      const installed = install({ main: `allow-nets_time_limit=${limit}\n`, master: '' });
      assert.equal(definedValue(installed.main, 'allow-nets_time_limit'), expected);
    });
  }
});
