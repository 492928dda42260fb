// allow-nets install: from the package to a Postfix that asks it.
//
// Whatever can be known beforehand is found out beforehand; nothing is changed until the administrator has seen the changes.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Arguments, Command } from '../cli/command';
import { type Grants, grantsOf } from '../cli/grants';
import { hint, printLine } from '../cli/output';
import { POLICY_OPTIONS } from '../cli/policy-usage';
import { hintLine, type Trouble, type Words } from '../failure';
import { accountOf } from '../postfix/account';
import { isAgreed, openPostfix, otherNames } from '../postfix/change-opening';
import { changePostfix, partsWithChanges, printParts, stampOf } from '../postfix/change-postfix';
import { looseAccess, restrictAccess } from '../postfix/database-access';
import { listWarnings } from '../postfix/list-warnings';
import { serviceNamed } from '../postfix/master-cf';
import { installPlan } from '../postfix/plan';
import { programOptions, spawned } from '../postfix/policy-service';
import { CONFIG_DIR, DRY_RUN, SERVICE, YES } from '../postfix/postfix-options';
import { refused } from '../postfix/run';
import { servicesWithAuth } from '../postfix/service-view';
import { printStep } from '../postfix/shown-plan';
import { closedFile, hindranceOf } from '../postfix/trial-run';
import { type InstallOptions, wantedService, withLogGroup } from '../postfix/wanted-service';
import { DEFAULT_DATABASE } from '../rules/database';
import { createDatabase } from './init';

export const install: Command = {
  line: 'install',
  summary: 'make Postfix ask this program',
  about: [
    'Adds the service to master.cf, and check_policy_service ahead of everything else to the recipient restrictions of every smtpd service that offers AUTH: in main.cf, or in the -o of master.cf that overrides them. The check carries a default_action of its own, a temporary 451: while the program does not answer, mail waits. Prints all changes and asks before it makes them; keeps dated copies of both files; on any failure puts both back as they were.',
    'Run again it changes nothing, or moves to what is asked for now: from --trial to enforcing, from one mode to the other. Other words in argv= stay, before the program (setpriv, prlimit) and after it. uninstall takes out what install put in.',
    'The database is for root and the group of the account that runs the program: folder 750, file 640.',
    'With --trial refusals are logged (reject_warning) and not carried out: a way to see on a running server who would be refused.',
  ],
  options: {
    user: {
      type: 'string',
      requiresArg: true,
      describe: 'account, or ACCOUNT:GROUP, that runs the program (nobody)',
    },
    service: SERVICE,
    'one-shot': {
      type: 'boolean',
      describe: 'one process for each request, instead of one for each smtpd process',
    },
    trial: { type: 'boolean', describe: 'log who would be refused, and refuse nobody' },
    'reject-text': { ...POLICY_OPTIONS['reject-text'], type: 'string', requiresArg: true },
    log: POLICY_OPTIONS.log,
    yes: YES,
    'dry-run': DRY_RUN,
    force: { type: 'boolean', describe: 'also with a database that lets nobody send' },
    'config-dir': CONFIG_DIR,
  },
  examples: [
    ['allow-nets install --trial', 'see in the mail log who would be refused'],
    ['allow-nets install', 'refuse them'],
    ['allow-nets install --dry-run', 'only show what it would change'],
  ],
  run: runInstall,
};

async function runInstall(given: Arguments): Promise<number> {
  const opening = openPostfix(given);
  const { postfix, store, name } = opening;
  const entry = serviceNamed(store.files.master, name, 'unix');
  const present = entry === null ? null : spawned(entry);
  const [other] = present === null ? otherNames(given, opening) : [];
  if (other !== undefined) {
    throw refused(
      `the service ${other} in master.cf is this program already`,
      `allow-nets install --service ${other}; for a second one --service ${name}`,
    );
  }
  if (servicesWithAuth(store.files).length === 0) {
    throw refused(
      'no smtpd service offers AUTH, so there is no user to ask about',
      'set smtpd_sasl_auth_enable=yes, with -o in the submission entry of master.cf as a rule',
    );
  }
  const asked = wantedService(name, present, optionsFrom(given));
  const wanted = { ...asked, user: withLogGroup(asked.user, postfix) };
  const db = programOptions(wanted.argv).db ?? DEFAULT_DATABASE;
  const account = accountOf(wanted.user, postfix.mailOwner);
  stopAt(closedFile(account, wanted.program, postfix));
  const plan = installPlan(store.files, wanted, postfix.builtIn());
  const isNew = !fs.existsSync(db);
  const parts = partsWithChanges([
    { changes: plan.service, answers: name },
    { changes: plan.lists, answers: name },
  ]);
  const loose = isNew ? [] : looseAccess(db, account.gid);
  const planned = plan.lists.at(-1)?.files ?? plan.service.at(-1)?.files ?? store.files;
  if (parts.length === 0 && !isNew && loose.length === 0) {
    printLine(`already installed: ${described(wanted, db)}`);
    listWarnings(planned, wanted).forEach(hint);
    return 0;
  }
  const grants = isNew ? { users: 0, wide: [], any: false } : grantsOf(db);
  const stopsEverybody = !wanted.trial && plan.lists.length > 0 && !grants.any;
  const failure = stopsEverybody && !given.flag('force') ? emptyDatabase(db, isNew) : null;
  if (failure !== null && !given.flag('dry-run')) throw failure;
  const stamp = stampOf(new Date());
  if (isNew) printStep(['allow-nets', 'init', '--db', db, '--user', wanted.user]);
  for (const { path: file, mode } of loose) {
    printStep(['chgrp', String(account.gid), file]);
    printStep(['chmod', mode.toString(8), file]);
  }
  printParts(postfix, store, parts, stamp);
  printLine(whoMaySend(grants, wanted.trial));
  if (plan.lists.length > 0 && present === null && !wanted.trial)
    hint('to see first who would be refused: allow-nets install --trial');
  if (failure !== null) hint(`this needs --force: ${failure.message}`);
  if (!isAgreed('install', given, postfix)) return given.flag('dry-run') ? 0 : 1;
  if (isNew && createDatabase(db, account.gid)) printLine(`made ${db}`);
  restrictAccess(loose, account.gid);
  stopAt(closedFile(account, [db], postfix));
  stopAt(hindranceOf(account, wanted, postfix));
  await changePostfix(postfix, store, parts, stamp);
  if (parts.length > 0) printLine(`copies of the files before: ${Object.values(store.copies(stamp)).join(' ')}`);
  printLine(`installed: ${described(wanted, db)}`);
  listWarnings(planned, wanted).forEach(hint);
  if (!postfix.isRunning()) hint('Postfix is not running: the change takes effect when it starts');
  if (stopsEverybody) hint('every user is refused until allow-nets add lets one in');
  if (wanted.trial) hint('who would be refused is logged as reject_warning; allow-nets install ends the trial');
  return 0;
}

function optionsFrom(given: Arguments): InstallOptions {
  const db = given.text('db') ?? process.env['ALLOW_NETS_DB'] ?? '';
  return {
    user: given.text('user'),
    db: db === '' ? null : path.resolve(db),
    oneShot: given.flag('one-shot'),
    trial: given.flag('trial'),
    rejectText: given.text('reject-text'),
    log: given.text('log'),
    script: __filename,
  };
}

function described(
  { name, user, oneShot, trial }: { name: string; user: string; oneShot: boolean; trial: boolean },
  db: string,
): string {
  const mode = oneShot ? 'one process a request' : 'persistent';
  return `service ${name} as ${user}, ${mode}, ${trial ? 'trial: nobody is refused' : 'enforcing'}, database ${db}`;
}

/** Who has entries, and what happens to the others. */
function whoMaySend({ users, wide }: Grants, trial: boolean): string {
  const subjects = [`${users} ${users === 1 ? 'user' : 'users'}`, ...wide].join(', ');
  const others = trial ? 'would be refused, which is only logged' : 'is refused';
  return wide.includes('*')
    ? `entries: ${subjects}; everybody else who logs in may send from where * may`
    : `entries: ${subjects}; everybody else who logs in ${others}`;
}

function stopAt(hindrance: Words | null): void {
  if (hindrance !== null) throw refused(hindrance.problem, hintLine(hindrance) ?? undefined);
}

function emptyDatabase(db: string, isNew: boolean): Trouble {
  const init = isNew ? `allow-nets init --db ${db}, ` : '';
  return refused(
    isNew
      ? `there is no database ${db}: every user would be refused`
      : `${db} lets nobody send mail: every user would be refused`,
    `first ${init}allow-nets add USER NETWORK or allow-nets learn /var/log/mail.log, or try it with --trial; --force does it all the same`,
  );
}
