// Opens the mail logs that a command reads, and reads them in blocks of bytes. A compressed file is recognised by its
// first bytes and decompressed by gzip, xz, zstd or bzip2.
//
// DIAGNOSTICS: of a truncated or damaged file, or a disk that fails, everything before the damage is read.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { openInput } from '../cli/input-file';
import { hint } from '../cli/output';
import { readSome } from '../descriptor';
import { refusal, shellWord } from '../failure';
import { findProgram, run } from '../postfix/run';
import { DAY } from './tally';

export interface Input {
  readonly name: string;
  /** 0 for standard input. */
  readonly descriptor: number;
  /** ms since 1970: a stamp without a year is not later. */
  readonly latest: number;
}

/** `file`: `-` is standard input. `now`: ms since 1970. Throws Trouble if the file cannot be opened. */
export function openLog(file: string, now: number): Input {
  const descriptor = openInput(file);
  const stat = fs.fstatSync(descriptor);
  const written = stat.isFile() ? stat.mtimeMs : now;
  // Clocks and time zones of the machines that wrote and copied a log may differ by a day.
  return { name: file === '-' ? 'standard input' : file, descriptor, latest: Math.min(now, written) + DAY };
}

const SYSLOG_FILES = ['/var/log/mail.log', '/var/log/maillog', '/var/log/mail'];

/**
 * Finds and names this server's mail log: the one that Postfix writes itself (maillog_file, postconf(5)), else syslog's.
 * Throws Trouble if there is none. `command`: the command that reads it, for the hint.
 */
export function defaultLog(command: string): string {
  const postconf = findProgram('postconf');
  const own = postconf === null ? '' : run(postconf, ['-x', '-h', 'maillog_file']).stdout.trim();
  for (const file of [own, ...SYSLOG_FILES]) {
    if (file === '' || !fs.statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
    hint(`the log is ${file}`);
    return file;
  }
  const problem = `there is no mail log: maillog_file names no file, and there is no ${SYSLOG_FILES.join(', ')}`;
  throw refusal(problem, `journalctl -u 'postfix*' | allow-nets ${command} -`);
}

const BLOCK = 1 << 20;

/** By the first bytes of a file, as Latin-1. */
const DECOMPRESSORS = { '\x1f\x8b': 'gzip', '\xfd7zXZ\0': 'xz', '\x28\xb5\x2f\xfd': 'zstd', BZh: 'bzip2' };
/** A byte order mark, or an ASCII character in two bytes. */
const UTF_16 = /^(?:\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0)/s;

/** A block is reused as soon as `onBlock` returns. Returns null, or what could not be read and why. */
export async function readBlocks(input: Input, onBlock: (block: Buffer) => void): Promise<string | null> {
  const { name, descriptor } = input;
  const buffer = Buffer.allocUnsafeSlow(BLOCK);
  let damage: string | null = null;
  const read = () => {
    try {
      return buffer.subarray(0, readSome(descriptor, buffer));
    } catch (error) {
      damage = damageText((error as Error).message);
      return buffer.subarray(0, 0);
    }
  };
  let block = read();
  const start = block.toString('latin1', 0, 6);
  if (UTF_16.test(start)) {
    const file = descriptor === 0 ? '' : ` ${shellWord(name)}`;
    return `is UTF-16 and was not read; convert it first: iconv -f UTF-16 -t UTF-8${file}`;
  }
  const [, program] = Object.entries(DECOMPRESSORS).find(([magic]) => start.startsWith(magic)) ?? [];
  if (program !== undefined) {
    if (descriptor === 0) return `is compressed and was not read; convert it first: ${program} -dc`;
    return decompress(program, name, onBlock);
  }
  for (; block.length > 0; block = read()) onBlock(block);
  return damage;
}

function damageText(reason: string): string {
  return `could not be read to its end (${reason}): what came before counts`;
}

async function decompress(program: string, file: string, onBlock: (block: Buffer) => void): Promise<string | null> {
  const path = findProgram(program);
  if (path === null) return `is compressed with ${program}, which is not installed, and was not read`;
  // As standard input: gzip requires a known suffix of a named file.
  const child = spawn(path, ['-dc'], { stdio: [fs.openSync(file, 'r'), 'pipe', 'pipe'] });
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr?.on('data', (text) => {
    stderr += text;
  });
  for await (const block of child.stdout ?? []) onBlock(block);
  const [status] = await closed;
  if (status === 0) return null;
  return damageText(stderr.trim().split('\n')[0] || `exit status ${status}`);
}
