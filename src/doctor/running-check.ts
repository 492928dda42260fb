// Whether the persistent programs that run now are the installed version: they are the program as it was when they were started.
import * as fs from 'node:fs';
import { type Finding, ok, warn } from './finding';
import { type InstalledService, reloadCommand } from './installed-service';

/** How much (ms) later than its start a process may seem to have been started: /proc counts in hundredths of a second, and the clock is set. */
const TOLERANCE = 2000;

/** Only where there is a /proc as Linux has it. */
export function* runningFindings({ postfix, policy, script, interpreter }: InstalledService): Iterable<Finding> {
  if (!fs.existsSync('/proc/stat') || !fs.existsSync(script)) return;
  // Not its mtime, which npm sets to that of the package.
  const installed = fs.statSync(script).ctimeMs;
  const words = `\0${policy.argv.slice(interpreter.length).join('\0')}\0`;
  const starts = fs
    .readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && `\0${read(`/proc/${pid}/cmdline`)}`.endsWith(words))
    .flatMap((pid) => startOf(pid) ?? []);
  const old = starts.filter((start) => start + TOLERANCE < installed).length;
  if (old > 0) {
    const message = `${old} of ${starts.length} running programs were started before ${script} was installed, and are of an older version`;
    yield warn('running', message, { command: reloadCommand(postfix) });
  } else yield ok('running', `${starts.length} programs, of the installed version`);
}

/** When a process was started (ms since 1970): proc(5), `starttime` in ticks of a hundredth of a second since `btime`. */
function startOf(pid: string): number | null {
  const [, boot] = /^btime (\d+)$/m.exec(read('/proc/stat')) ?? [];
  const stat = read(`/proc/${pid}/stat`);
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return boot === undefined || ticks === undefined ? null : Number(boot) * 1000 + Number(ticks) * 10;
}

/** Empty when the process has ended meanwhile. */
function read(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
