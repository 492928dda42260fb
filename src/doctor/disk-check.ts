// Whether the database can be changed where it lies: room on the disk, and a file system that can be written.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { shellLine } from '../postfix/run';
import { type Finding, ok, warn } from './finding';
import type { InstalledService } from './installed-service';

export function* diskFindings({ db }: InstalledService): Iterable<Finding> {
  const folder = path.dirname(db);
  if (!fs.existsSync(folder)) return;
  const { bavail, bsize, blocks } = fs.statfsSync(folder);
  if (blocks > 0 && bavail === 0) {
    const advice = 'answers go on, changes fail: free some space';
    yield warn('disk', `the file system of ${folder} is full`, {
      command: shellLine(['df', '-h', folder]),
      advice,
    });
  } else if (isReadOnly(folder)) {
    const advice = `answers go on, changes fail: mount it for writing, once "dmesg" has said why it is not`;
    yield warn('disk', `the file system of ${folder} is read-only`, { advice });
  } else yield ok('disk', blocks > 0 ? `${Math.floor((bavail * bsize) / 2 ** 20)} MB free` : 'can be written');
}

/** access(2) tells root, too. */
function isReadOnly(folder: string): boolean {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
