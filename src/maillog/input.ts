// Opens the mail logs that a command reads: those on the command line, or this server's own.
import * as fs from 'node:fs';
import { openInput } from '../cli/input-file';
import { Trouble } from '../failure';
import { findProgram, run } from '../postfix/run';

export interface Input {
  /** For messages. */
  readonly name: string;
  readonly descriptor: number;
  /** In bytes; 0 for a pipe. */
  readonly size: number;
  /** Seconds since 1970: none of its lines can be newer. */
  readonly latest: number;
}

/** The name of standard input in messages. */
export const STANDARD_INPUT = 'standard input';
/** Seconds by which the clock of the machine that wrote the log may be ahead of ours. */
const CLOCK_AHEAD = 60;
/** Seconds by which a file's modification time may be off when it was set in another time zone. */
const FILE_TIME_AHEAD = 86_400;

/** `file`: `-` is standard input. `now`: seconds since 1970. Throws Trouble if the file cannot be opened. */
export function openLog(file: string, now: number): Input {
  const descriptor = openInput(file);
  const stat = fs.fstatSync(descriptor);
  const isFile = stat.isFile();
  const changed = isFile ? stat.mtimeMs / 1000 + FILE_TIME_AHEAD : Number.POSITIVE_INFINITY;
  const name = file === '-' ? STANDARD_INPUT : file;
  return { name, descriptor, size: isFile ? stat.size : 0, latest: Math.min(now + CLOCK_AHEAD, changed) };
}

const SYSLOG_FILES = ['/var/log/mail.log', '/var/log/maillog', '/var/log/mail'];

/**
 * This server's mail log: the one that Postfix writes itself (maillog_file, postconf(5)), else syslog's.
 * Throws Trouble if there is none. `command`: the command that reads it, for the hint.
 */
export function defaultLog(command: string): string {
  const postconf = findProgram('postconf');
  const own = postconf === null ? '' : run(postconf, ['-x', '-h', 'maillog_file']).stdout.trim();
  const isFile = (path: string) => path !== '' && fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  const found = [own, ...SYSLOG_FILES].find(isFile);
  if (found !== undefined) return found;
  throw new Trouble({
    kind: 'refused',
    problem: `there is no mail log: maillog_file names no file, and there is no ${SYSLOG_FILES.join(', ')}`,
    hint: `journalctl -u 'postfix*' | allow-nets ${command} -`,
  });
}
