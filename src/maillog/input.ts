// The mail logs that a command reads, opened: those that it was given (`-` is standard input), or the one of this server.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { findProgram, run } from '../postfix/run';

export interface Input {
  /** For messages. */
  readonly name: string;
  readonly descriptor: number;
  /** In bytes; null when it is not known before it is read. */
  readonly size: number | null;
  /** Seconds since 1970: none of its lines can be newer. */
  readonly latest: number;
}

/** The clock of the machine that wrote the log may be ahead of ours, by this many seconds. */
const CLOCK_AHEAD = 60;
/** A file's time may have been set in another time zone. */
const FILE_TIME_AHEAD = 86_400;

/** A file that is named twice is opened once. `now`: seconds since 1970. Throws Trouble for a file that cannot be opened. */
export function openInputs(names: readonly string[], now: number): Input[] {
  const inputs = new Map<string, Input>();
  for (const name of names) {
    const { input, identity } = open(name, now + CLOCK_AHEAD);
    if (!inputs.has(identity)) inputs.set(identity, input);
    else if (input.descriptor !== 0) fs.closeSync(input.descriptor);
  }
  return [...inputs.values()];
}

function open(file: string, latest: number): { input: Input; identity: string } {
  const name = file === '-' ? 'standard input' : file;
  try {
    const descriptor = file === '-' ? 0 : fs.openSync(file, 'r');
    const stat = fs.fstatSync(descriptor);
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    if (!stat.isFile()) return { input: { name, descriptor, size: null, latest }, identity: file };
    const changed = stat.mtimeMs / 1000 + FILE_TIME_AHEAD;
    const input = { name, descriptor, size: stat.size, latest: Math.min(latest, changed) };
    return { input, identity: `${stat.dev}:${stat.ino}` };
  } catch (error) {
    throw unopened(name, error as NodeJS.ErrnoException);
  }
}

function unopened(name: string, { code, message }: NodeJS.ErrnoException): Trouble {
  if (code === 'EISDIR') {
    return new Trouble({ kind: 'refused', problem: `${name} is a folder`, hint: 'name the mail logs in it' });
  }
  const why = { ENOENT: 'no such file', EACCES: 'no permission to read it' }[code ?? ''] ?? message;
  return new Trouble({ kind: 'refused', problem: `cannot read ${name}: ${why}` });
}

const SYSLOG_FILES = ['/var/log/mail.log', '/var/log/maillog', '/var/log/mail'];

/**
 * This server's mail log: where Postfix writes it itself (maillog_file, postconf(5)), else where syslog does. Throws Trouble when there is none.
 * `command`: that reads it.
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
