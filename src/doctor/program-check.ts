// Runs the program once as its account. If it does not answer, looks for files that are missing or unreadable, and for
// a Node.js that is too old.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, runAs, unreadablePath } from '../postfix/account';
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
  const { interpreter, script, postfix } = service;
  for (const file of [...interpreter, script].filter((word) => word.startsWith('/'))) {
    if (!fs.existsSync(file)) {
      return fail(CHECK, `there is no ${file} any more`, { command: installCommand(service) });
    }
    const closed = unreadablePath(runner, file, postfix);
    if (closed === null) continue;
    const why = closed === file ? '' : ` because of ${closed}`;
    return fail(CHECK, `${runner.name} cannot read ${file}${why}`, { command: openCommand(closed, script) });
  }
  const folder = packageFolder(script);
  const isClosed = ['(', '-type', 'd', '!', '-perm', '-5', '-o', '-type', 'f', '!', '-perm', '-4', ')'];
  const [closed = ''] = run('find', [folder, ...isClosed, '-print']).stdout.split('\n');
  return closed === ''
    ? null
    : fail(CHECK, `not everybody can read ${closed}`, { command: openCommand(closed, script) });
}

const packageFolder = (script: string): string => path.resolve(fs.realpathSync(script), '../..');

/** A package installed with umask 077 is unreadable in many places, so one command opens all of it. */
function openCommand(closed: string, script: string): string {
  const folder = packageFolder(script);
  if (`${closed}/`.startsWith(`${folder}/`)) return shellLine(['chmod', '-R', 'a+rX', folder]);
  return shellLine(['chmod', fs.statSync(closed).isDirectory() ? 'a+x' : 'a+rx', closed]);
}

/** Prints the version of the Node.js that runs the program. */
function nodeOf({ interpreter, postfix }: InstalledService, runner: Account): RunResult {
  const words = interpreter.length > 0 ? interpreter : ['/usr/bin/env', 'node'];
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
