// Whether the persistent programs that run now are the installed version: they stay the program that was installed when
// they were started.
import * as fs from 'node:fs';
import { type Finding, ok, warn } from './finding';
import { type InstalledService, reloadCommand } from './installed-service';

/**
 * How much (ms) later than its start a process may seem to have been started: /proc counts in hundredths of a second,
 * and the clock is set.
 */
const TOLERANCE = 2000;

/** Only where there is a /proc as Linux has it. */
export function* runningFindings({ postfix, policy, script, interpreter }: InstalledService): Iterable<Finding> {
  if (!fs.existsSync('/proc/stat') || !fs.existsSync(script)) return;
  // Not its mtime, which npm sets to that of the package.
  const installed = fs.statSync(script).ctimeMs;
  const words = `\0${policy.argv.slice(interpreter.length).join('\0')}\0`;
  const programs = fs
    .readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `\0${read(`/proc/${pid}/cmdline`)}`.endsWith(words));
  const old = programs.filter((pid) => startOf(pid) + TOLERANCE < installed).length;
  if (old === 0) yield ok('running', `${programs.length} programs, of the installed version`);
  else {
    const message = `${old} of ${programs.length} running programs were started before ${script} was installed`;
    yield warn('running', message, { command: reloadCommand(postfix) });
  }
}

/**
 * When a process was started (ms since 1970): proc(5), `starttime` in hundredths of a second since `btime`. NaN when it
 * has ended.
 */
function startOf(pid: string): number {
  const [, boot] = /^btime (\d+)$/m.exec(read('/proc/stat')) ?? [];
  const ticks = read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')[19];
  return Number(boot) * 1000 + Number(ticks) * 10;
}

/** Empty when the process has ended meanwhile. */
function read(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
