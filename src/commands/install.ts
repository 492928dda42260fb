// allow-nets install: from the package to a Postfix that asks it.
//
// Whatever can be known beforehand is found out beforehand; nothing is changed until the administrator has seen the changes.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Arguments, Command } from '../cli/command';
import { grantsAnything } from '../cli/grants';
import { hint, printLine } from '../cli/output';
import { Trouble } from '../failure';
import { accountOf } from '../postfix/account';
import { isAgreed, openPostfix, otherNames } from '../postfix/change-opening';
import { changePostfix, partsWithChanges, printParts, stampOf } from '../postfix/change-postfix';
import type { ConfigStore } from '../postfix/config-store';
import { serviceNamed } from '../postfix/master-cf';
import { installPlan, type Wanted } from '../postfix/plan';
import { type PolicyService, programIndex, programOptions, spawned } from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { CONFIG_DIR, DRY_RUN, SERVICE, YES } from '../postfix/postfix-options';
import { findProgram, refused } from '../postfix/run';
import { printStep } from '../postfix/shown-plan';
import { closedFile, type Hindrance, hindranceOf } from '../postfix/trial-run';
import { DEFAULT_DATABASE } from '../rules/database';
import { createDatabase } from './init';

export const install: Command = {
  line: 'install',
  summary: 'make Postfix ask this program',
  about: [
    'Adds the service to master.cf, and check_policy_service ahead of everything else to the recipient restrictions of main.cf and of every smtpd service that offers AUTH and overrides them with -o. Prints all changes and asks before it makes them; keeps dated copies of both files; on any failure puts both back as they were.',
    'Run again it changes nothing, or moves to what is asked for now: from --trial to enforcing, from one mode to the other. uninstall takes out what install put in.',
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
  const present = spawnedAs(store, name);
  const [other] = present === null ? otherNames(given, opening) : [];
  if (other !== undefined) {
    throw refused(
      `the service ${other} in master.cf is this program already`,
      `allow-nets install --service ${other}; for a second one --service ${name}`,
    );
  }
  const { wanted, db } = wantedFrom(given, name, present);
  const account = accountOf(wanted.user, postfix.mailOwner);
  stopAt(closedFile(account, wanted.argv.slice(0, 2), postfix));
  const plan = installPlan(store.files, wanted, postfix.builtIn());
  const isNew = !fs.existsSync(db);
  const parts = partsWithChanges([
    { changes: plan.service, answers: name },
    { changes: plan.lists, answers: name },
  ]);
  if (parts.length === 0 && !isNew) {
    printLine(`already installed: ${described(wanted)}`);
    return 0;
  }
  const stopsEverybody = !wanted.trial && plan.lists.length > 0 && (isNew || !grantsAnything(db));
  const failure = stopsEverybody && !given.flag('force') ? emptyDatabase(db, isNew) : null;
  if (failure !== null && !given.flag('dry-run')) throw failure;
  const stamp = stampOf(new Date());
  if (isNew) printStep(['allow-nets', 'init', '--db', db]);
  printParts(postfix, store, parts, stamp);
  if (failure !== null) hint(`this needs --force: ${failure.message}`);
  if (!isAgreed('install', given, postfix)) return given.flag('dry-run') ? 0 : 1;
  if (isNew && createDatabase(db)) printLine(`made ${db}`);
  stopAt(closedFile(account, [db], postfix));
  stopAt(hindranceOf(account, wanted, postfix));
  await changePostfix(postfix, store, parts, stamp);
  printLine(`installed: ${described(wanted)}`);
  afterwards(postfix, wanted, stopsEverybody);
  return 0;
}

function spawnedAs(store: ConfigStore, name: string): PolicyService | null {
  const present = serviceNamed(store.files.master, name, 'unix');
  return present === null ? null : spawned(present);
}

/** What was asked for; what was not stays as it is installed. */
function wantedFrom(
  given: Arguments,
  name: string,
  present: PolicyService | null,
): { wanted: Wanted; db: string } {
  const program = present === null ? -1 : programIndex(present.argv);
  const before = programOptions(present?.argv.slice(program + 1) ?? []);
  const asked = given.text('db') ?? process.env['ALLOW_NETS_DB'] ?? '';
  const db = path.resolve(asked || (before.db ?? DEFAULT_DATABASE));
  const oneShot = given.flag('one-shot');
  const start = [nodeOfPath(), __filename];
  const argv = [...start, ...(oneShot ? [] : ['--persistent']), '--db', db, ...before.others];
  const same =
    present?.argv.slice(0, program + 1).join('\n') === start.join('\n') &&
    before.persistent === !oneShot &&
    before.db === db;
  const user = given.text('user') ?? (present?.user || 'nobody');
  const wanted = {
    name,
    user,
    argv: same ? (present?.argv ?? argv) : argv,
    oneShot,
    trial: given.flag('trial'),
  };
  return { wanted, db };
}

/** This Node by the name that PATH has for it, which outlives an upgrade better than where it lies. */
function nodeOfPath(): string {
  const node = findProgram('node');
  return node !== null && fs.realpathSync(node) === process.execPath ? node : process.execPath;
}

function described({ name, user, oneShot, trial, argv }: Wanted): string {
  const mode = oneShot ? 'one process a request' : 'persistent';
  const db = programOptions(argv).db ?? DEFAULT_DATABASE;
  return `service ${name} as ${user}, ${mode}, ${trial ? 'trial: nobody is refused' : 'enforcing'}, database ${db}`;
}

function stopAt(hindrance: Hindrance | null): void {
  if (hindrance !== null) throw refused(hindrance.problem, hindrance.hint ?? undefined);
}

function emptyDatabase(db: string, isNew: boolean): Trouble {
  const init = isNew ? `allow-nets init --db ${db}, ` : '';
  return new Trouble({
    kind: 'refused',
    problem: isNew
      ? `there is no database ${db}: every user would be refused`
      : `${db} lets nobody send mail: every user would be refused`,
    hint: `first ${init}allow-nets add USER NETWORK or allow-nets learn /var/log/mail.log, or try it with --trial; --force does it all the same`,
  });
}

function afterwards(postfix: Postfix, wanted: Wanted, stopsEverybody: boolean): void {
  if (!postfix.isRunning()) hint(`Postfix is not running: the change counts when it starts`);
  if (stopsEverybody) hint('every user is refused until allow-nets add lets one in');
  if (wanted.trial)
    hint('who would be refused is logged as reject_warning; allow-nets install ends the trial');
}
