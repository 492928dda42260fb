// The entry in master.cf, and the time that Postfix gives the program.
import { Trouble } from '../failure';
import { readCommandLine } from '../policy/options';
import { accountOf } from '../postfix/account';
import { parameterOf } from '../postfix/main-cf';
import { isLongEnough, timeLimitName } from '../postfix/service-changes';
import { type Finding, fail, ok, warn } from './finding';
import { installCommand, type Patient, timeLimitCommand } from './patient';

export function* serviceFindings(patient: Patient): Iterable<Finding> {
  const { entry, policy, postfix } = patient;
  const check = `service ${policy.name}`;
  const faults = [...faultsOf(patient)];
  if (faults.length > 0) {
    yield fail(check, faults.join('; '), installCommand(patient));
  } else {
    yield ok(check, `${policy.argv.join(' ')}, run as ${policy.user}`);
  }
  if (entry.fields[2] === '-') {
    yield warn('chroot', 'chroot is -, which is yes in some configurations', installCommand(patient));
  }
  const limit = parameterOf(patient.files.main, timeLimitName(policy.name))?.value.text ?? null;
  if (limit !== null && isLongEnough(limit))
    yield ok('time limit', `${timeLimitName(policy.name)} = ${limit}`);
  else {
    const found = limit ?? `${postfix.value('command_time_limit')}, the default`;
    const why = 'Postfix kills the program after that time, under a connection that lives longer';
    const name = timeLimitName(policy.name);
    yield warn('time limit', `${name} is ${found}: ${why}`, timeLimitCommand(patient, name));
  }
}

function* faultsOf({ entry, policy, postfix, script, interpreter, options }: Patient): Iterable<string> {
  const [isPrivate = '', unprivileged = '', chroot = '', , limit = ''] = entry.fields;
  if (entry.type === 'inet') {
    if (isPrivate !== 'n') yield `private is ${isPrivate}, which Postfix refuses for an inet service`;
  } else if (entry.type !== 'unix') yield `its type is ${entry.type} and not unix`;
  else if (isPrivate !== '-' && isPrivate !== 'y')
    yield `private is ${isPrivate}, so its socket is not in private/`;
  if (unprivileged !== 'n')
    yield `unpriv is ${unprivileged} and not n, so spawn cannot become ${policy.user}`;
  if (chroot === 'y') yield 'it is chrooted, so the program cannot be found';
  if (limit !== '0') {
    yield `its process limit is ${limit} and not 0, so smtpd processes beyond that wait for each other`;
  }
  try {
    accountOf(policy.user, postfix.mailOwner);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield policy.user === '' ? 'it has no user=' : error.message;
  }
  const viaEnv = interpreter.join(' ') === '/usr/bin/env node';
  for (const file of viaEnv ? [script] : [...interpreter.slice(0, 1), script]) {
    if (!file.startsWith('/')) yield `${file} is no absolute path`;
  }
  if (options.db !== null && !options.db.startsWith('/')) yield `--db ${options.db} is no absolute path`;
  yield* commandLineFaults(policy.argv.slice(interpreter.length + 1));
}

/** What the program itself would say about its options. */
function* commandLineFaults(words: readonly string[]): Iterable<string> {
  try {
    const line = readCommandLine(words, {});
    if (line.kind === 'command') yield `${line.word ?? words.join(' ')} does not belong into argv=`;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield error.message;
  }
}
