// Opens the files that a command reads; `-` is standard input.
import * as fs from 'node:fs';
import { refusal } from '../failure';

const REASONS: Readonly<Record<string, (name: string) => string>> = {
  ENOENT: (name) => `there is no file ${name}`,
  EISDIR: (name) => `${name} is a folder`,
  EACCES: (name) => `no permission to read ${name}`,
};

/** The descriptor of a file. Throws Trouble. */
export function openInput(name: string): number {
  if (name === '-') return 0;
  try {
    const descriptor = fs.openSync(name, 'r');
    if (!fs.fstatSync(descriptor).isDirectory()) return descriptor;
    throw Object.assign(new Error(), { code: 'EISDIR' });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const problem = REASONS[code]?.(name) ?? `${name} cannot be read (${code})`;
    const hint = code === 'EACCES' ? 'run the command as root' : 'name a file to read, or - for standard input';
    throw refusal(problem, hint);
  }
}
