// The files of the program as the service user has them, the Node.js that runs it, and the whole program, run once as the service user.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { closedTo, runAs } from '../postfix/account';
import { complaintOf, shellLine } from '../postfix/run';
import { hindranceOf } from '../postfix/trial-run';
import { type Finding, fail, fixOf, ok } from './finding';
import { type InstalledService, installCommand, isDatabaseFile } from './installed-service';

const OLDEST_NODE = 20;

/** The words that run the program: those before it in argv=, else what its first line says. */
const nodeOf = ({ interpreter }: InstalledService): readonly string[] =>
  interpreter.length > 0 ? interpreter : ['/usr/bin/env', 'node'];

export function* fileFindings(service: InstalledService): Iterable<Finding> {
  const { runner, interpreter, script, postfix } = service;
  if (runner === null) return;
  const files = [...interpreter.filter((word) => word.startsWith('/')), script];
  const gone = files.find((file) => !fs.existsSync(file));
  if (gone !== undefined) {
    yield fail('files', `there is no ${gone} any more`, { command: installCommand(service) });
    return;
  }
  for (const file of [...files, ...driverFiles(script)]) {
    const step = closedTo(runner, file, postfix);
    if (step === null) continue;
    const way = step === file ? '' : ` because of ${step}`;
    yield fail('files', `${runner.name} cannot read ${file}${way}`, { command: openCommand(step, script) });
    return;
  }
  yield ok('files', `${runner.name} can read Node.js, the program and better-sqlite3`);
}

/** What is loaded of better-sqlite3, wherever it is installed. */
function driverFiles(script: string): string[] {
  try {
    const manifest = require.resolve('better-sqlite3/package.json', { paths: [fs.realpathSync(script)] });
    const folder = path.dirname(manifest);
    return fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /^(package\.json|lib\/.*\.js|build\/Release\/[^/]*\.node|prebuilds\/.*\.node)$/.test(name))
      .map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

/** A package that was installed with a umask of 077 is closed in many places: one command opens all of it. */
function openCommand(step: string, script: string): string {
  const packageFolder = path.resolve(fs.realpathSync(script), '../..');
  const isInside = step === packageFolder || step.startsWith(`${packageFolder}/`);
  if (isInside) return shellLine(['chmod', '-R', 'a+rX', packageFolder]);
  return shellLine(['chmod', fs.statSync(step).isDirectory() ? 'a+x' : 'a+rx', step]);
}

export function* nodeFindings(service: InstalledService): Iterable<Finding> {
  const { runner, postfix } = service;
  if (runner === null) return;
  const words = nodeOf(service);
  const node = words.join(' ');
  const ran = runAs(runner, [...words, '-p', 'process.version'], postfix);
  const version = ran.stdout.trim();
  const command = installCommand(service);
  const advice = `install Node.js ${OLDEST_NODE} or newer, and run with it`;
  if (ran.status !== 0 || !version.startsWith('v')) {
    yield fail('Node.js', `${runner.name} cannot run ${node} (${complaintOf(ran)})`, { advice, command });
  } else if (Number.parseInt(version.slice(1), 10) < OLDEST_NODE) {
    yield fail('Node.js', `${node} is ${version}`, { advice, command });
  } else yield ok('Node.js', `${node} is ${version}`);
}

export function* programFindings(service: InstalledService): Iterable<Finding> {
  const { runner, policy, postfix, db } = service;
  if (runner === null || (fs.existsSync(db) && !isDatabaseFile(service))) return;
  const hindrance = hindranceOf(runner, policy, postfix);
  if (hindrance === null) yield ok('program', `answers when ${runner.name} runs it`);
  else yield fail('program', hindrance.problem, fixOf(hindrance));
}
