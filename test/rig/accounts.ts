// The numbers of the accounts that Postfix's packages made: folders must belong to them, and programs are tried as them.
// In trouble (no such account): throws, with the name.
import { readFileSync } from 'node:fs';

/** @returns numeric user and primary group of an account in /etc/passwd */
export function userIds(name: string): { uid: number; gid: number } {
  const [, , uid, gid] = entry('/etc/passwd', name);
  return { uid: Number(uid), gid: Number(gid) };
}

/** @returns the number of a group in /etc/group */
export function groupId(name: string): number {
  return Number(entry('/etc/group', name)[2]);
}

function entry(file: string, name: string): string[] {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  if (line === undefined) throw new Error(`there is no ${name} in ${file}`);
  return line.split(':');
}
