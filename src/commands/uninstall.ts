// allow-nets uninstall: removes from Postfix what install added, and nothing else.

import type { Arguments, Command } from '../cli/command';
import { printLine } from '../cli/output';
import { changedStages, changePostfix, confirmChange, hintAtStart, printChange } from '../postfix/change-postfix';
import { uninstallPlan } from '../postfix/plan';
import { CONFIG_DIR, DRY_RUN, openPostfix, SERVICE, YES } from '../postfix/postfix-options';

export const uninstall: Command = {
  line: 'uninstall',
  summary: 'remove this program from Postfix',
  about: [
    'Removes the check from every restriction list, the service from master.cf and its time limit from main.cf. Everything else stays as it is, including later changes and the database.',
  ],
  options: { service: SERVICE, yes: YES, 'dry-run': DRY_RUN, 'config-dir': CONFIG_DIR },
  examples: [['allow-nets uninstall', 'users may again send from everywhere']],
  run: runUninstall,
};

async function runUninstall(args: Arguments): Promise<number> {
  const { postfix, store, name } = openPostfix(args);
  const stages = changedStages(store, [uninstallPlan(store.files, name)]);
  const change = { postfix, store, stages, answers: null };
  if (stages.length === 0) {
    printLine(`there is nothing of ${name} in ${postfix.configDir}`);
    return 0;
  }
  printChange(change);
  if (!confirmChange(args, change)) return args.flag('dry-run') ? 0 : 1;
  await changePostfix(change);
  printLine(`uninstalled: nothing asks ${name} any more; the database stays`);
  printLine('copies of the files as they were before each change:');
  for (const copy of store.earlierCopies()) printLine(copy);
  hintAtStart(postfix);
  return 0;
}
