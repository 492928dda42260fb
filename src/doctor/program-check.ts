// The program, run once as the account that Postfix runs it as; when it does not answer: what is missing, closed or too
// old.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { type Account, closedTo, runAs } from '../postfix/account';
import { complaintOf, type Ran, run, shellLine } from '../postfix/run';
import { hindranceOf } from '../postfix/wanted-service';
import { type Finding, fail, ok } from './finding';
import { databaseKind, type InstalledService, installCommand } from './installed-service';

const CHECK = 'program';
const OLDEST_NODE = 20;

export function* programFindings(service: InstalledService): Iterable<Finding> {
  const { runner, policy, postfix } = service;
  // The program would wait for a FIFO in place of the database.
  if (runner === null || databaseKind(service) === 'other') return;
  const hindrance = hindranceOf(runner, policy, postfix);
  if (hindrance !== null) {
    const found = fileFinding(service, runner) ?? nodeFinding(service, runner);
    yield found ?? fail(CHECK, hindrance.problem, hindrance);
  } else yield ok(CHECK, `answers when ${runner.name} runs it, with Node.js ${nodeOf(service, runner).stdout.trim()}`);
}

/** A file of the program that is gone, or that the account cannot read. */
function fileFinding(service: InstalledService, runner: Account): Finding | null {
  const { interpreter, script, postfix } = service;
  for (const file of [...interpreter, script].filter((word) => word.startsWith('/'))) {
    if (!fs.existsSync(file)) {
      return fail(CHECK, `there is no ${file} any more`, { command: installCommand(service) });
    }
    const closed = closedTo(runner, file, postfix);
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

/** A package that was installed with a umask of 077 is closed in many places: one command opens all of it. */
function openCommand(closed: string, script: string): string {
  const folder = packageFolder(script);
  if (`${closed}/`.startsWith(`${folder}/`)) return shellLine(['chmod', '-R', 'a+rX', folder]);
  return shellLine(['chmod', fs.statSync(closed).isDirectory() ? 'a+x' : 'a+rx', closed]);
}

/** The version of the Node.js that runs the program, on standard output. */
function nodeOf({ interpreter, postfix }: InstalledService, runner: Account): Ran {
  const words = interpreter.length > 0 ? interpreter : ['/usr/bin/env', 'node'];
  return runAs(runner, [...words, '-p', 'process.version'], postfix);
}

/** A Node.js that does not run, or is too old. */
function nodeFinding(service: InstalledService, runner: Account): Finding | null {
  const ran = nodeOf(service, runner);
  const [, version] = /^v(\d+)\./.exec(ran.stdout) ?? [];
  if (version !== undefined && Number(version) >= OLDEST_NODE) return null;
  const problem = version === undefined ? `does not run (${complaintOf(ran)})` : `is ${ran.stdout.trim()}, too old`;
  const hint = `install Node.js ${OLDEST_NODE} or newer, and then with it`;
  return fail(CHECK, `Node.js ${problem}`, { hint, command: installCommand(service) });
}
