// The entry in master.cf, and the time that Postfix gives the program.
import { Trouble } from '../failure';
import { readCommandLine } from '../policy/options';
import { accountOf } from '../postfix/account';
import { entriesOf } from '../postfix/config-text';
import { isLongEnough, timeLimitName } from '../postfix/plan';
import { type Finding, fail, ok, warn } from './finding';
import { andReload, type InstalledService, installCommand } from './installed-service';

export function* serviceFindings(service: InstalledService): Iterable<Finding> {
  const { entry, policy, files } = service;
  const check = `service ${policy.name}`;
  const faults = [...faultsOf(service)];
  const fix = { command: installCommand(service) };
  if (faults.length > 0) yield fail(check, faults.join('; '), fix);
  else yield ok(check, `${policy.argv.join(' ')}, run as ${policy.user}`);
  const same = entriesOf(files.master).filter(({ name, type }) => name === entry.name && type === entry.type);
  if (same.length > 1) {
    const message = `master.cf has ${same.length} entries ${entry.name}/${entry.type}; Postfix uses the last, which is examined here`;
    yield warn('same name', message, { advice: 'delete the others from master.cf' });
  }
  if (entry.fields[2] === '-') {
    yield warn('chroot', 'chroot is -, which is yes in some configurations', fix);
  }
}

export function* timeLimitFindings(service: InstalledService): Iterable<Finding> {
  const { entry, policy, postfix } = service;
  const name = timeLimitName(policy.name);
  const limit = postfix.value(name);
  if (isLongEnough(limit)) {
    yield ok('time limit', `${name} = ${limit}`);
    return;
  }
  const why = 'Postfix kills the program after that time, under a connection that lives longer';
  const command =
    entry.type === 'inet'
      ? andReload(postfix, ['postconf', ...postfix.chosen, `${name}=3600`])
      : installCommand(service);
  yield warn('time limit', `${name} is ${limit}: ${why}`, { command });
}

function* faultsOf(service: InstalledService): Iterable<string> {
  const { entry, policy, postfix, script, interpreter, options } = service;
  const [isPrivate = '', unprivileged = '', chroot = '', , limit = ''] = entry.fields;
  if (entry.type === 'inet') {
    if (isPrivate !== 'n') yield `private is ${isPrivate}, which Postfix refuses for an inet service`;
  } else if (entry.type !== 'unix') yield `its type is ${entry.type} and not unix`;
  else if (isPrivate !== '-' && isPrivate !== 'y') yield `private is ${isPrivate}, so its socket is not in private/`;
  if (unprivileged !== 'n') yield `unpriv is ${unprivileged} and not n, so spawn cannot become ${policy.user}`;
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
    if (!file.startsWith('/')) yield `${file} is not an absolute path`;
  }
  if (options.db !== null && !options.db.startsWith('/')) yield `--db ${options.db} is not an absolute path`;
  yield* commandLineFaults(policy.argv.slice(interpreter.length + 1));
}

/** What the program itself would say about its options. */
function* commandLineFaults(words: readonly string[]): Iterable<string> {
  try {
    const line = readCommandLine(words, {});
    if (line.kind === 'command') yield `${line.word ?? words.join(' ')} does not belong in argv=`;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield error.message;
  }
}
