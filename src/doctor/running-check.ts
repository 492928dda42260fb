// Checks that Postfix runs, and that the running persistent programs are the installed version; they keep the version
// with which they started.
import * as fs from 'node:fs';
import { quantity } from '../cli/output';
import { shellLine } from '../failure';
import { run } from '../postfix/run';
import { type Finding, fail, ok, warn } from './finding';
import type { InstalledService } from './installed-service';

/** The error (ms) of the age of a process, which ps(1) prints in whole seconds. */
const TOLERANCE = 2000;

export function* runningFindings(service: InstalledService): Iterable<Finding> {
  const { postfix } = service;
  if (fs.existsSync(service.policy.script)) yield versionFinding(service);
  if (process.getuid?.() === 0 && !postfix.isRunning()) {
    yield fail('Postfix', 'it is not running', { command: shellLine(postfix.command('start')) });
  }
}

function versionFinding({ postfix, policy }: InstalledService): Finding {
  const { script, argv, interpreter } = policy;
  const { status, stdout } = run('ps', ['-e', '-ww', '-o', 'etimes=,args=']);
  if (status !== 0) {
    const hint = 'install procps, or after each upgrade load the installed version';
    const message = 'ps does not print the age of programs (etimes), so theirs is unknown';
    return warn('running', message, { hint, command: postfix.reloadCommand });
  }
  const words = ` ${argv.slice(interpreter.length).join(' ')}`;
  const programs = stdout.split('\n').filter((line) => line.endsWith(words));
  // ctime, because npm sets mtime to the time in the package.
  const age = Date.now() - fs.statSync(script).ctimeMs + TOLERANCE;
  const old = programs.filter((line) => Number.parseInt(line, 10) * 1000 > age).length;
  if (old === 0) return ok('running', `${quantity(programs.length, 'program')}, of the installed version`);
  const message = `${old} of ${programs.length} running programs were started before ${script} was installed`;
  return warn('running', message, { command: postfix.reloadCommand });
}
