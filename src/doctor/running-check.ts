// Checks that the running persistent programs are the installed version; they keep the version with which they started.

import * as fs from 'node:fs';
import { quantity } from '../cli/output';
import { type Finding, ok, warn } from './finding';
import { type InstalledService, reloadCommand } from './installed-service';

/**
 * The error (ms) of a process's start time: /proc counts in hundredths of a second, and the clock may have been set.
 */
const TOLERANCE = 2000;

/** Yields nothing on systems without Linux's /proc. */
export function* runningFindings({ postfix, policy, script, interpreter }: InstalledService): Iterable<Finding> {
  if (!fs.existsSync('/proc/stat') || !fs.existsSync(script)) return;
  // ctime, because npm sets mtime to the time in the package.
  const installed = fs.statSync(script).ctimeMs;
  const words = `\0${policy.argv.slice(interpreter.length).join('\0')}\0`;
  const programs = fs
    .readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `\0${read(`/proc/${pid}/cmdline`)}`.endsWith(words));
  const old = programs.filter((pid) => startOf(pid) + TOLERANCE < installed).length;
  if (old === 0) yield ok('running', `${quantity(programs.length, 'program')}, of the installed version`);
  else {
    const message = `${old} of ${programs.length} running programs were started before ${script} was installed`;
    yield warn('running', message, { command: reloadCommand(postfix) });
  }
}

/**
 * The start time of a process in ms since 1970, from proc(5): `starttime` is in hundredths of a second since `btime`.
 * NaN if the process has ended.
 */
function startOf(pid: string): number {
  const [, boot] = /^btime (\d+)$/m.exec(read('/proc/stat')) ?? [];
  const ticks = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')[19];
  return Number(boot) * 1000 + Number(ticks) * 10;
}

/** Empty if the process has ended meanwhile. */
function read(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
