// allow-nets install: configures Postfix to ask this program.
//
// It checks everything that it can before it changes anything, and shows the changes to the administrator first.
import * as fs from 'node:fs';
import { type Arguments, type Command, flag, POLICY_OPTIONS, value } from '../cli/command';
import { hint, printLine, quantity } from '../cli/output';
import { type Grants, grantsOf } from '../entries/grants';
import { type Message, refusal, shellLine, Trouble } from '../failure';
import { accountOf, unreadable } from '../postfix/account';
import {
  changedStages,
  changePostfix,
  confirmChange,
  hintAtStart,
  printChange,
  printStep,
} from '../postfix/change-postfix';
import { type ConfigFiles, offersAuth, servicesWithAuth, smtpdServices } from '../postfix/configuration';
import { restoreAccess, restrictAccess, restrictableAccess } from '../postfix/database-access';
import { entriesNamed, installPlan } from '../postfix/plan';
import { policyServiceOf } from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { CONFIG_DIR, DRY_RUN, openPostfix, SERVICE, YES } from '../postfix/postfix-options';
import { serviceCheck } from '../postfix/restrictions';
import { typedCommand } from '../postfix/run';
import { trialRunFailure, type WantedService, wantedService } from '../postfix/wanted-service';
import { createDatabase } from './init';

export const install: Command = {
  line: 'install',
  summary: 'set Postfix up to ask this program',
  about: [
    'Adds the service to master.cf, and check_policy_service ahead of everything else to the recipient restrictions of every smtpd service that offers AUTH: in main.cf, or in the -o of master.cf that overrides them. The check has its own default_action, a temporary 451: while the program does not answer, mail waits. Prints all changes and asks before it makes them; keeps dated copies of both files; restores both if a step fails.',
    'Run again, it changes only what the options now say: from --trial to enforcing, from one mode to the other. Other words in argv= stay, before the program (setpriv, prlimit) and after it. uninstall removes what install added.',
    'The database is for root and the group of the account that runs the program: folder 750, file 640.',
    'With --trial refusals are logged (reject_warning) and not carried out: a way to see on a running server who would be refused.',
  ],
  options: {
    user: value('account, or ACCOUNT:GROUP, that runs the program (nobody)'),
    service: SERVICE,
    'one-shot': flag('one process for each request, instead of one for each smtpd process'),
    trial: flag('log who would be refused, and refuse nobody'),
    'reject-text': { ...POLICY_OPTIONS['reject-text'], type: 'string', requiresArg: true },
    log: POLICY_OPTIONS.log,
    yes: YES,
    'dry-run': DRY_RUN,
    force: flag('even with a database that allows nobody'),
    'config-dir': CONFIG_DIR,
  },
  examples: [
    ['allow-nets install --trial', 'log who would be refused'],
    ['allow-nets install', 'refuse them'],
    ['allow-nets install --dry-run', 'show what it would change'],
  ],
  run: runInstall,
};

async function runInstall(args: Arguments): Promise<number> {
  const { postfix, store, name } = openPostfix(args);
  const entry = entriesNamed(store.files, name).at(-1);
  const present = entry === undefined ? null : policyServiceOf(entry);
  const named = name === 'allow-nets' ? [] : ['--service', name];
  if (servicesWithAuth(store.files).length === 0) {
    throw refusal(
      'no smtpd service offers AUTH, so there is no user to ask about',
      'set smtpd_sasl_auth_enable=yes, as a rule with -o in the submission entry of master.cf; then',
      typedCommand(),
    );
  }
  const wanted = wantedService(postfix, name, present, args);
  const { db, trial } = wanted;
  const account = accountOf(wanted.user, postfix.mailOwner);
  stopAt(unreadable(account, wanted.program, postfix));
  const [withService, withLists] = installPlan(store.files, wanted);
  const stages = changedStages(store, [withService, withLists]);
  const change = { postfix, store, stages, answers: name };
  const isNew = !fs.existsSync(db);
  const loose = isNew ? [] : restrictableAccess(db, account);
  if (stages.length === 0 && !isNew && loose.length === 0) {
    printLine(`already installed: ${describeService(wanted)}`);
    printListWarnings(postfix, withLists, wanted);
    return 0;
  }
  const grants = isNew ? { users: 0, wide: [], any: false } : grantsOf(db);
  const changesLists = stages.includes(withLists);
  const stopsEverybody = !trial && changesLists && !grants.any;
  const failure = stopsEverybody && !args.flag('force') ? emptyDatabase(db, isNew) : null;
  if (failure !== null && !args.flag('dry-run')) throw failure;
  if (isNew) printStep(['allow-nets', 'init', '--db', db, '--user', wanted.user]);
  for (const { path: file, mode } of loose) {
    printStep(['chgrp', String(account.gid), file]);
    printStep(['chmod', mode.toString(8), file]);
  }
  printChange(change);
  printLine(whoMaySend(grants, trial));
  if (changesLists && present === null && !trial) {
    hint('to see first who would be refused', typedCommand('--trial'));
  }
  if (failure !== null) hint(`${failure.message}, which needs`, typedCommand('--force'));
  if (!confirmChange(args, change)) return args.flag('dry-run') ? 0 : 1;
  if (isNew && createDatabase(db, account.gid)) printLine(`made ${db}`);
  restrictAccess(loose, account);
  try {
    stopAt(unreadable(account, [db], postfix));
    stopAt(trialRunFailure(account, wanted, postfix));
    await changePostfix(change);
  } catch (error) {
    restoreAccess(loose);
    throw error;
  }
  const copies = store.originals.map(({ copy }) => copy);
  if (stages.length > 0) printLine(`copies of the files before: ${copies.join(' ')}`);
  printLine(`installed: ${describeService(wanted)}`);
  printListWarnings(postfix, withLists, wanted);
  hintAtStart(postfix);
  if (stopsEverybody) hint('every user is refused until you add one', addCommand(db));
  if (trial) {
    hint('who would be refused is logged as reject_warning; to end the trial', postfix.ownCommand('install', ...named));
  }
  return 0;
}

/** Hints at each service that may accept mail without the check, and at those that ask although they offer no AUTH. */
function printListWarnings(postfix: Postfix, files: ConfigFiles, { name, trial }: WantedService): void {
  const sharing: string[] = [];
  for (const service of smtpdServices(files)) {
    const check = serviceCheck(files, service, name);
    const label = `${service.name}/${service.type}`;
    if (!offersAuth(files, service)) {
      if (check !== undefined) sharing.push(label);
      continue;
    }
    const isReached = check !== undefined && check.skip === null;
    if (isReached && check.trial === trial) continue;
    const mode = check?.trial ? 'asks on trial' : 'refuses';
    hint(`${label} ${isReached ? mode : 'may not ask'}; to see why`, postfix.ownCommand('doctor'));
  }
  if (sharing.length === 0) return;
  hint(
    `${sharing.join(', ')} offers no AUTH and shares a list with the check: each of its processes starts a program, too; give submission a list of its own (-o smtpd_recipient_restrictions=... in master.cf), then`,
    typedCommand(),
  );
}

function describeService({ name, user, oneShot, trial, db }: WantedService): string {
  const mode = oneShot ? 'one process a request' : 'persistent';
  return `service ${name} as ${user}, ${mode}, ${trial ? 'trial: no user is refused' : 'enforcing'}, database ${db}`;
}

/** Says who has entries, and what happens to the others. */
function whoMaySend({ users, wide }: Grants, trial: boolean): string {
  const subjects = [quantity(users, 'user'), ...wide].join(', ');
  const others = trial ? 'would be refused, which is only logged' : 'is refused';
  return wide.includes('*')
    ? `entries: ${subjects}; everybody else who logs in may send from where * may`
    : `entries: ${subjects}; everybody else who logs in ${others}`;
}

/** Throws Trouble if there is an obstacle. */
function stopAt(obstacle: Message | null): void {
  if (obstacle !== null) throw new Trouble({ kind: 'refused', ...obstacle });
}

function emptyDatabase(db: string, isNew: boolean): Trouble {
  const init = isNew ? `${shellLine(['allow-nets', 'init', '--db', db])} && ` : '';
  const why = isNew ? `there is no database ${db}` : `${db} lets no user send mail`;
  return refusal(`${why}: every user would be refused`, 'first add who may send', init + addCommand(db), [
    { hint: 'or take it from the mail log', command: init + shellLine(['allow-nets', 'learn', '--db', db]) },
    { hint: 'or log who would be refused, and refuse nobody', command: typedCommand('--trial') },
    { hint: 'or refuse everybody', command: typedCommand('--force') },
  ]);
}

const addCommand = (db: string): string => shellLine(['allow-nets', 'add', 'USER', 'NETWORK', '--db', db]);
