// The service's entry in master.cf, and the time that Postfix gives the program.
import { Trouble } from '../failure';
import { readCommandLine } from '../policy/options';
import { entriesOf } from '../postfix/config-text';
import { isLongEnough, timeLimitName } from '../postfix/plan';
import { FIELDS } from '../postfix/policy-service';
import { type Finding, fail, ok, warn } from './finding';
import { andReload, type InstalledService, installCommand } from './installed-service';

export function* serviceFindings(service: InstalledService): Iterable<Finding> {
  const { entry, policy, files } = service;
  const check = `service ${policy.name}`;
  const faults = [...entryFaults(service)];
  const command = installCommand(service);
  if (faults.length > 0) yield fail(check, faults.join('; '), { command });
  else yield ok(check, `${policy.argv.join(' ')}, run as ${policy.user}`);
  const same = entriesOf(files.master).filter(({ name, type }) => name === entry.name && type === entry.type);
  if (same.length > 1) {
    const message = `master.cf has ${same.length} entries ${entry.name}/${entry.type}; Postfix uses the last`;
    yield warn('same name', message, { hint: 'delete the others from master.cf' });
  }
  yield timeLimitFinding(service);
}

function* entryFaults({ entry, policy, account, interpreter }: InstalledService): Iterable<string> {
  const found = entry.fields.join(' ');
  const right = [entry.type === 'inet' ? 'n' : '[-y]', ...FIELDS.slice(1, 3), '\\S+', FIELDS[4]].join(' ');
  if (!new RegExp(`^${right}$`).test(found)) {
    const wanted = [entry.type === 'inet' ? 'n' : '-', ...FIELDS.slice(1)].join(' ');
    yield `private, unpriv, chroot, wakeup and maxproc are "${found}" and must be "${wanted}"`;
  }
  if (account instanceof Trouble) yield policy.user === '' ? 'there is no user=' : account.message;
  const words = policy.argv.slice(interpreter.length + 1);
  try {
    const line = readCommandLine(words, {});
    if (line.kind === 'command') yield `${line.word ?? words.join(' ')} is a command and does not belong in argv=`;
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    yield error.message;
  }
}

function timeLimitFinding(service: InstalledService): Finding {
  const { entry, policy, postfix } = service;
  const name = timeLimitName(policy.name);
  const limit = postfix.value(name);
  if (isLongEnough(limit)) return ok('time limit', `${name} = ${limit}`);
  const message = `${name} is ${limit}: Postfix kills the program after that time, in the middle of a session`;
  const isHost = entry.type === 'inet';
  const command = isHost
    ? andReload(postfix, ['postconf', ...postfix.chosen, `${name}=3600`])
    : installCommand(service);
  return warn('time limit', message, { command });
}
