// allow-nets uninstall: takes out of Postfix what install put in, and nothing else.
import { ConfigStore } from '../postfix/config-store';
import { uninstallPlan } from '../postfix/plan';
import { Postfix } from '../postfix/postfix';
import { refused } from '../postfix/run';
import { isForeign } from '../postfix/service-changes';
import { changePostfix, partsWithChanges, printParts, stampOf } from './change-postfix';
import type { Arguments, Command } from './command';
import { hint, printLine } from './output';
import { CONFIG_DIR, DRY_RUN, requireRoot, SERVICE, serviceName, YES } from './postfix-options';
import { consent } from './shown-plan';

export const uninstall: Command = {
  line: 'uninstall',
  summary: 'take this program out of Postfix again',
  about: [
    'Takes the check out of every restriction list, and the service and its time limit out of master.cf and main.cf. Everything else stays as it is, also what was changed since install; so does the database.',
  ],
  options: { service: SERVICE, yes: YES, 'dry-run': DRY_RUN, 'config-dir': CONFIG_DIR },
  examples: [['allow-nets uninstall', 'users may again send from everywhere']],
  run: runUninstall,
};

async function runUninstall(given: Arguments): Promise<number> {
  const postfix = new Postfix(given.text('config-dir'));
  const store = new ConfigStore(postfix.configDir);
  const name = serviceName(given);
  if (isForeign(store.files, name)) {
    throw refused(
      `the service ${name} in master.cf is not this program`,
      'name the right one: --service NAME',
    );
  }
  const plan = uninstallPlan(store.files, name);
  const parts = partsWithChanges([
    { changes: plan.lists, answers: null },
    { changes: plan.service, answers: null },
  ]);
  if (parts.length === 0) {
    printLine(`there is nothing of ${name} in ${postfix.configDir}`);
    return 0;
  }
  const stamp = stampOf(new Date());
  printParts(postfix, store, parts, stamp);
  if (given.flag('dry-run')) return 0;
  requireRoot('uninstall', postfix);
  switch (consent('make these changes?', given.flag('yes'))) {
    case 'no':
      printLine('nothing was changed');
      return 1;
    case 'nobody to ask':
      throw refused('standard input is no terminal, so nobody can be asked', 'run it again with --yes');
  }
  await changePostfix(postfix, store, parts, stamp);
  printLine(`uninstalled: nothing asks ${name} any more; the database stays`);
  if (!postfix.isRunning()) hint('Postfix is not running: the change counts when it starts');
  return 0;
}
