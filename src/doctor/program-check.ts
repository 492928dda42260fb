// Runs the program once as its account. If it does not answer, looks for files that are missing or unreadable; about a
// Node.js that is too old, the program itself complains.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { shellLine } from '../failure';
import { type Account, runAs, unreadable } from '../postfix/account';
import { run } from '../postfix/run';
import { trialRunFailure } from '../postfix/wanted-service';
import { type Finding, fail, ok } from './finding';
import { databaseKind, type InstalledService, installCommand } from './installed-service';

const CHECK = 'program';

export function* programFindings(service: InstalledService): Iterable<Finding> {
  const { runner, policy, postfix } = service;
  // If the database is a FIFO, the program would hang.
  if (runner === null || databaseKind(service) === 'other') return;
  const failure = trialRunFailure(runner, policy, postfix);
  if (failure !== null) {
    yield fileFinding(service, runner) ?? fail(CHECK, failure.problem, failure);
  } else {
    const node = policy.interpreter.length > 0 ? policy.interpreter : ['/usr/bin/env', 'node'];
    const { stdout } = runAs(runner, [...node, '-p', 'process.version'], postfix);
    yield ok(CHECK, `answers when the account ${runner.name} runs it, with Node.js ${stdout.trim()}`);
  }
}

/** Finds a file of the program that is missing, or that the account cannot read. */
function fileFinding(service: InstalledService, runner: Account): Finding | null {
  const { policy, postfix } = service;
  const files = [...policy.interpreter, policy.script].filter((word) => word.startsWith('/'));
  const missing = files.find((file) => !fs.existsSync(file));
  if (missing !== undefined) {
    return fail(CHECK, `there is no ${missing} any more`, { command: installCommand(service) });
  }
  const folder = path.resolve(fs.realpathSync(policy.script), '../..');
  // A package installed with umask 077 is unreadable in many places, so one command opens all of it.
  const openAll = shellLine(['chmod', '-R', 'a+rX', folder]);
  const closed = unreadable(runner, files, postfix);
  if (closed !== null) {
    const isInside = `${closed.at}/`.startsWith(`${folder}/`);
    return fail(CHECK, closed.problem, isInside ? { command: openAll } : closed);
  }
  const isClosed = ['(', '-type', 'd', '!', '-perm', '-5', '-o', '-type', 'f', '!', '-perm', '-4', ')'];
  const [first = ''] = run('find', [folder, ...isClosed, '-print']).stdout.split('\n');
  return first === '' ? null : fail(CHECK, `not everybody can read ${first}`, { command: openAll });
}
