// The numbers of the accounts that Postfix's packages made: folders must belong to them, and programs are tried as them.
// In trouble (no such account): throws, with the name.
import { execFileSync } from 'node:child_process';

export function userIds(name: string): { uid: number; gid: number } {
  const [, , uid, gid] = entry('passwd', name);
  return { uid: Number(uid), gid: Number(gid) };
}

export function groupId(name: string): number {
  return Number(entry('group', name)[2]);
}

function entry(database: string, name: string): string[] {
  return execFileSync('getent', [database, name], { encoding: 'utf8' }).split(':');
}
