// Checks that the database can be changed: free space, and a file system that is not read-only.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { shellLine } from '../failure';
import { writeFailure } from '../rules/database-failure';
import { type Finding, ok, warn } from './finding';
import type { InstalledService } from './installed-service';

export function* diskFindings({ db }: InstalledService): Iterable<Finding> {
  const folder = path.dirname(db);
  if (!fs.existsSync(folder)) return;
  const { bavail, bsize, blocks } = fs.statfsSync(folder);
  if (writeFailure(folder, [folder])?.kind === 'database-readonly') {
    const hint = 'answers go on, changes fail: find out why, and mount it for writing';
    const command = shellLine(['findmnt', '-T', folder]);
    yield warn('disk', `the file system of ${folder} is read-only`, { hint, command });
  } else if (blocks > 0 && bavail === 0) {
    const hint = 'answers go on, changes fail: free some space';
    yield warn('disk', `the file system of ${folder} is full`, { hint, command: shellLine(['df', '-h', folder]) });
  } else yield ok('disk', blocks > 0 ? `${Math.floor((bavail * bsize) / 2 ** 20)} MB free` : 'can be written');
}
