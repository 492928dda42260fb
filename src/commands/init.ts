// allow-nets init: an empty database that the policy program can read.
import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Command } from '../cli/command';
import { printLine } from '../cli/output';
import { Trouble } from '../failure';
import { openForCreating, openForWriting, translating } from '../rules/database';
import { SCHEMA } from '../rules/schema';

export const init: Command = {
  line: 'init',
  summary: 'make an empty database',
  about: [
    'Makes the folder and the file when they are missing, readable by everybody, for the service user must read them, and writable by their owner. A database that is there already is left as it is.',
  ],
  examples: [['allow-nets init', 'make /var/lib/allow-nets/access.db']],
  run({ db }) {
    printLine(createDatabase(db) ? `made ${db}` : `${db} is there already`);
    return 0;
  },
};

/** Makes the database unless it is there. True when it was made. */
export function createDatabase(file: string): boolean {
  return translating(file, () => {
    makeFolder(path.dirname(file));
    if (fs.existsSync(file) && fs.statSync(file).size > 0) {
      openForWriting(file).close();
      return false;
    }
    const connection = openForCreating(file);
    try {
      connection.pragma('journal_mode = delete');
      connection
        .transaction(() => {
          const tables = connection.prepare('select count(*) from sqlite_schema').pluck().get() as number;
          if (tables > 0)
            throw new Trouble({ kind: 'refused', problem: `${file} is being made by another program` });
          connection.exec(SCHEMA);
        })
        .immediate();
    } finally {
      connection.close();
    }
    fs.chmodSync(file, 0o644);
    return true;
  });
}

/** Each folder that is missing, so that everybody can pass through it whatever the umask is. */
function makeFolder(folder: string): void {
  if (fs.existsSync(folder)) return;
  // Not by `recursive`, which never ends where a folder cannot be made in one that is there (/proc).
  makeFolder(path.dirname(folder));
  try {
    fs.mkdirSync(folder);
    fs.chmodSync(folder, 0o755);
  } catch (error) {
    throw new Trouble({
      kind: 'refused',
      problem: `the folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code})`,
      hint: 'run the command as root, or choose another place with --db FILE',
    });
  }
}
