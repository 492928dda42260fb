// Checks the service's entry in master.cf, and the time limit of the program.
import { type Message, Trouble } from '../failure';
import { readCommandLine } from '../policy/options';
import { entriesOf } from '../postfix/config-text';
import { isLongEnough, timeLimitName } from '../postfix/plan';
import { fieldFault } from '../postfix/policy-service';
import { type Finding, fail, ok, warn } from './finding';
import { type InstalledService, installCommand } from './installed-service';

export function* serviceFindings(service: InstalledService): Iterable<Finding> {
  const { entry, policy, files, postfix } = service;
  const check = `service ${policy.name}`;
  const install = { command: installCommand(service) };
  const problem = fieldFault(entry);
  const fields = problem === null ? null : { problem, ...install };
  const faults = [fields, accountFault(service), optionFault(service)].filter((fault) => fault !== null);
  for (const fault of faults) yield fail(check, fault.problem, fault);
  if (faults.length === 0) yield ok(check, `${policy.argv.join(' ')}, run as ${policy.user}`);
  const same = entriesOf(files.master).filter(({ name, type }) => name === entry.name && type === entry.type);
  const isHost = entry.type === 'inet';
  if (same.length > 1) {
    const message = `master.cf has ${same.length} entries ${entry.name}/${entry.type}; Postfix uses the last`;
    yield warn('same name', message, isHost ? postfix.manualFix('delete the others from master.cf') : install);
  }
  const name = timeLimitName(policy.name);
  const limit = postfix.value(name);
  if (isLongEnough(limit)) yield ok('time limit', `${name} = ${limit}`);
  else {
    const message = `${name} is ${limit}: Postfix kills the program after that time, in the middle of a session`;
    yield warn('time limit', message, isHost ? { command: postfix.postconfCommand(`${name}=3600`) } : install);
  }
}

function accountFault(service: InstalledService): Message | null {
  const { account, policy } = service;
  if (!(account instanceof Trouble)) return null;
  const install = installCommand(service, { user: 'nobody' });
  if (policy.user === '') return { problem: 'there is no user=', command: install };
  const { problem, hint, command } = account.failure;
  if (command == null) return { problem, hint, command: install };
  return { problem, hint, command, more: [{ hint: 'or let another account run the program', command: install }] };
}

/** Parses the options as the program itself does. */
function optionFault({ policy, postfix }: InstalledService): Message | null {
  const words = policy.argv.slice(policy.interpreter.length + 1);
  const fix = postfix.manualFix(`correct argv= of ${policy.name} in master.cf`);
  try {
    const line = readCommandLine(words, {});
    if (line.kind === 'policy') return null;
    return { problem: `${line.word ?? words.join(' ')} is a command and does not belong in argv=`, ...fix };
  } catch (error) {
    if (error instanceof Trouble) return { problem: error.message, ...fix };
    throw error;
  }
}
