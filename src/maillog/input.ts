// The mail logs that a command reads, opened: those that it was given (`-` is standard input), or the one of this server.
import * as fs from 'node:fs';
import { Trouble } from '../failure';
import { findProgram, run } from '../postfix/run';

export interface Input {
  readonly name: string;
  readonly descriptor: number;
  /** Bytes; null when only reading tells. */
  readonly size: number | null;
  /** Seconds since 1970 after which no line of it can have been written. */
  readonly latest: number;
}

/** The clock of the machine that wrote the log may be ahead of ours, by this many seconds. */
const CLOCK_AHEAD = 60;
/** A file's time may be of another time zone's clock. */
const FILE_TIME_AHEAD = 86_400;

/** All of `names`, or Trouble for the first that cannot be opened. The same file named twice is opened once. `now`: seconds since 1970. */
export function openInputs(names: readonly string[], now: number): Input[] {
  const inputs = new Map<string, Input>();
  for (const name of names) {
    const { input, identity } = open(name, now);
    if (!inputs.has(identity)) inputs.set(identity, input);
    else if (input.descriptor !== 0) fs.closeSync(input.descriptor);
  }
  return [...inputs.values()];
}

function open(name: string, now: number): { input: Input; identity: string } {
  const descriptor = name === '-' ? 0 : translated(name, () => fs.openSync(name, 'r'));
  const stat = translated(name, () => fs.fstatSync(descriptor));
  if (stat.isDirectory()) {
    throw new Trouble({ kind: 'refused', problem: `${name} is a folder`, hint: 'name the mail logs in it' });
  }
  const isFile = stat.isFile();
  const clock = now + CLOCK_AHEAD;
  const input = {
    name: name === '-' ? 'standard input' : name,
    descriptor,
    size: isFile ? stat.size : null,
    latest: isFile ? Math.min(clock, stat.mtimeMs / 1000 + FILE_TIME_AHEAD) : clock,
  };
  return { input, identity: isFile ? `${stat.dev}:${stat.ino}` : name };
}

function translated<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = { ENOENT: 'no such file', EACCES: 'no permission to read it' }[code ?? ''] ?? message;
    throw new Trouble({ kind: 'refused', problem: `cannot read ${name}: ${why}` });
  }
}

const SYSLOG_FILES = ['/var/log/mail.log', '/var/log/maillog', '/var/log/mail'];

/**
 * The path of this server's mail log: where Postfix writes it itself (maillog_file, postconf(5)), else where syslog does. Trouble when there is
 * none. `command`: that asks for it.
 */
export function defaultLog(command: string): string {
  const postconf = findProgram('postconf');
  const own = postconf === null ? '' : run(postconf, ['-x', '-h', 'maillog_file']).stdout.trim();
  const found = [own, ...SYSLOG_FILES].find(isFile);
  if (found !== undefined) return found;
  throw new Trouble({
    kind: 'refused',
    problem: `there is no mail log: maillog_file names no file, and there is no ${SYSLOG_FILES.join(', ')}`,
    hint: `journalctl -u 'postfix*' | allow-nets ${command} -`,
  });
}

function isFile(path: string): boolean {
  return path !== '' && fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
