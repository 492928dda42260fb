// Checks the service's entry in master.cf, and the time limit of the program.
import { type Fix, Trouble } from '../failure';
import { readCommandLine } from '../policy/options';
import { entriesOf } from '../postfix/config-text';
import { isLongEnough, timeLimitName } from '../postfix/plan';
import { wrongFields } from '../postfix/policy-service';
import { type Finding, fail, ok, warn } from './finding';
import { type InstalledService, installCommand } from './installed-service';

export function* serviceFindings(service: InstalledService): Iterable<Finding> {
  const { entry, policy, files, postfix } = service;
  const check = `service ${policy.name}`;
  const faults = [fieldFault(service), accountFault(service), optionFault(service)].filter((fault) => fault !== null);
  for (const [message, fix] of faults) yield fail(check, message, fix);
  if (faults.length === 0) yield ok(check, `${policy.argv.join(' ')}, run as ${policy.user}`);
  const same = entriesOf(files.master).filter(({ name, type }) => name === entry.name && type === entry.type);
  const isHost = entry.type === 'inet';
  const install = { command: installCommand(service) };
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

type Fault = readonly [message: string, fix: Fix];

function fieldFault(service: InstalledService): Fault | null {
  const wrong = wrongFields(service.entry);
  if (wrong === null) return null;
  const message = `private, unpriv, chroot, wakeup and maxproc are "${wrong.found}" and must be "${wrong.wanted}"`;
  return [message, { command: installCommand(service) }];
}

function accountFault(service: InstalledService): Fault | null {
  const { account, policy } = service;
  if (!(account instanceof Trouble)) return null;
  const install = installCommand(service, { user: 'nobody' });
  if (policy.user === '') return ['there is no user=', { command: install }];
  const { problem, hint, command } = account.failure;
  if (command === undefined) return [problem, { hint, command: install }];
  return [problem, { hint, command, more: [{ hint: 'or let another account run the program', command: install }] }];
}

/** Parses the options as the program itself does. */
function optionFault({ policy, postfix }: InstalledService): Fault | null {
  const words = policy.argv.slice(policy.interpreter.length + 1);
  const fix = postfix.manualFix(`correct argv= of ${policy.name} in master.cf`);
  try {
    const line = readCommandLine(words, {});
    if (line.kind === 'policy') return null;
    return [`${line.word ?? words.join(' ')} is a command and does not belong in argv=`, fix];
  } catch (error) {
    if (error instanceof Trouble) return [error.message, fix];
    throw error;
  }
}
