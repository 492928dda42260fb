// Runs the program once as its account. If it does not answer, looks for files that are missing or unreadable, and for
// a Node.js that is too old.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, runAs, unreadable } from '../postfix/account';
import { failureText, type RunResult, run, shellLine } from '../postfix/run';
import { trialRunFailure } from '../postfix/wanted-service';
import { type Finding, fail, ok } from './finding';
import { databaseKind, type InstalledService, installCommand } from './installed-service';

const CHECK = 'program';
const OLDEST_NODE = 20;

export function* programFindings(service: InstalledService): Iterable<Finding> {
  const { runner, policy, postfix } = service;
  // If the database is a FIFO, the program would hang.
  if (runner === null || databaseKind(service) === 'other') return;
  const hindrance = trialRunFailure(runner, policy, postfix);
  if (hindrance !== null) {
    const found = fileFinding(service, runner) ?? nodeFinding(service, runner);
    yield found ?? fail(CHECK, hindrance.problem, hindrance);
  } else yield ok(CHECK, `answers when ${runner.name} runs it, with Node.js ${nodeOf(service, runner).stdout.trim()}`);
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

/** Prints the version of the Node.js that runs the program. */
function nodeOf({ policy, postfix }: InstalledService, runner: Account): RunResult {
  const words = policy.interpreter.length > 0 ? policy.interpreter : ['/usr/bin/env', 'node'];
  return runAs(runner, [...words, '-p', 'process.version'], postfix);
}

/** Finds out whether Node.js does not run, or is too old. */
function nodeFinding(service: InstalledService, runner: Account): Finding | null {
  const ran = nodeOf(service, runner);
  const [, version] = /^v(\d+)\./.exec(ran.stdout) ?? [];
  if (version !== undefined && Number(version) >= OLDEST_NODE) return null;
  const problem = version === undefined ? `does not run (${failureText(ran)})` : `is ${ran.stdout.trim()}, too old`;
  const hint = `install Node.js ${OLDEST_NODE} or newer, and then with it`;
  return fail(CHECK, `Node.js ${problem}`, { hint, command: installCommand(service) });
}
