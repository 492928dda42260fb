// Turns errors of SQLite and the file system into failures with a message and the fix.
//
// Nothing here opens the file: on POSIX, closing any descriptor of it drops SQLite's locks
// (sqlite.org/howtocorrupt.html, 2.2).
import { accessSync, constants, existsSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { type DatabaseFault, type Failure, type Fix, shellWord } from '../failure';
import { DEFAULT_DATABASE, SCHEMA_VERSION } from './schema';

/** `detail`: SQLite's message for a broken database, or the schema version for an unknown one. */
export function databaseFailure(kind: DatabaseFault, file: string, detail: unknown = ''): Failure {
  const quoted = shellWord(file);
  const option = file === DEFAULT_DATABASE ? '' : ` --db ${quoted}`;
  const init = `allow-nets init${option}`;
  const folder = shellWord(dirname(file));
  const [problem, hint, command, more] = {
    'database-missing': [
      `there is no database ${file}`,
      'put the file back from a copy',
      restoreCommand(file, init),
      [{ hint: 'for a new installation, where every user is refused at first, run as root', command: init }],
    ],
    'database-unreadable': [
      `no permission to read database ${file}`,
      "let the service user's group read it, as root",
      init,
      [
        {
          hint: 'or by hand',
          command: `chgrp GROUP ${quoted} ${folder} && chmod 640 ${quoted} && chmod g+x ${folder}`,
        },
      ],
    ],
    'database-unwritable': [`no permission to write database ${file}`, 'run the command as root'],
    'database-readonly': [
      `database ${file} is on a read-only file system`,
      'find out why, and mount it for writing',
      `findmnt -T ${quoted}`,
    ],
    'database-broken': [
      `database ${file} cannot be used (${detail})`,
      'put a good copy in its place',
      restoreCommand(file, init),
      [
        {
          hint: 'without a copy, save what can be read',
          command: cloneCommand(file),
        },
      ],
    ],
    'database-foreign': [
      `${file} is not a database of allow-nets (schema version ${detail})`,
      'name the right file with --db, or put a good copy in its place',
      restoreCommand(file, init),
      // Also the version of an empty file, which an init that was killed leaves.
      detail === 0
        ? [
            {
              hint: 'or, if it is empty, make it a new one, where every user is refused at first, as root',
              command: init,
            },
          ]
        : [],
    ],
    'database-newer': [
      `database ${file} has schema version ${detail}, this program knows ${SCHEMA_VERSION}`,
      'install the version of postfix-allow-nets that made it, or a newer one',
    ],
    'database-interrupted': [
      `database ${file} holds an interrupted change, which only a program with write permission can roll back`,
      'roll it back by running as root',
      `allow-nets tidy${option}`,
    ],
    'database-wal': [
      `database ${file} is in write-ahead mode, which the service user cannot read reliably`,
      'set it back by running as root',
      `allow-nets tidy${option}`,
    ],
    'database-busy': [
      `database ${file} is locked by another program for more than 2 seconds`,
      'try again; to see who holds it, run as root',
      `fuser -v ${quoted}`,
    ],
    'database-system': [
      `the system fails to read or write database ${file} (${detail})`,
      'the file may be good: look for errors of the disk, and whether memory or open files have run out',
      'dmesg | tail -n 20; free -m; ulimit -a',
    ],
    'database-full': [
      `there is no room on the disk to change database ${file}`,
      'nothing was changed; free some space, there and in /var/tmp',
      `df -h ${folder} /var/tmp`,
    ],
  }[kind] as [problem: string, hint: string, command?: string, more?: Fix[]];
  return { kind, problem, hint, command, more };
}

/** Puts a copy in place of the database by a rename, so that no program reads half of it. */
function restoreCommand(file: string, init: string): string {
  const folder = dirname(file);
  const journal = `${file}-journal`;
  const quoted = shellWord(file);
  const next = shellWord(`${file}.new`);
  const steps = [
    existsSync(folder) ? null : `mkdir -p ${shellWord(folder)}`,
    `cp COPY ${next}`,
    // A journal that stays would be rolled back into the copy.
    existsSync(journal) ? `rm ${shellWord(journal)}` : null,
    // mv would put the copy into a folder. A folder that holds something stays: it may be the wrong --db.
    existsSync(`${file}/.`) ? `rmdir ${quoted}` : null,
    `mv ${next} ${quoted}`,
    init,
  ];
  return steps.filter((step) => step !== null).join(' && ');
}

/** Copies what can be read. sqlite3 of Debian 12 has `.clone`, but fails at `.recover` on every file. */
function cloneCommand(file: string): string {
  const [from, to, clone] = [file, `${file}.recovered`, `.clone "${file}.recovered"`].map(shellWord);
  return `sqlite3 ${from} ${clone} && sqlite3 ${to} 'pragma user_version = ${SCHEMA_VERSION}'`;
}

/** The first match counts. SQLite's extended error codes start with the basic code. */
const FAULTS: readonly [code: RegExp, fault: DatabaseFault][] = [
  [/^(ENOENT|ENOTDIR)$/, 'database-missing'],
  [/^(EACCES|EPERM)$/, 'database-unreadable'],
  [/^EROFS$/, 'database-readonly'],
  [/^SQLITE_(BUSY|LOCKED|PROTOCOL)/, 'database-busy'],
  [/^SQLITE_READONLY_(ROLLBACK|RECOVERY)/, 'database-interrupted'],
  [/^SQLITE_FULL/, 'database-full'],
  [/^(SQLITE_(IOERR|NOMEM)|EIO|EMFILE|ENFILE|ENOMEM)/, 'database-system'],
  [/^SQLITE_(CONSTRAINT|CORRUPT|NOTADB|FORMAT|TOOBIG|NOLFS|SCHEMA)/, 'database-broken'],
];

/** The failure for an error of SQLite or the file system; null for any other error, which is a bug. */
export function databaseFailureOf(file: string, error: unknown): Failure | null {
  const { code = '', message = '', syscall } = error as NodeJS.ErrnoException;
  if (/^SQLITE_(READONLY|PERM)(?!_(ROLLBACK|RECOVERY))/.test(code)) {
    return writeFailure(file) ?? databaseFailure('database-unwritable', file);
  }
  if (/^SQLITE_(CANTOPEN|AUTH)/.test(code) || message.includes('directory does not exist')) {
    return openFailure(file) ?? databaseFailure('database-broken', file, message);
  }
  const fault = FAULTS.find(([pattern]) => pattern.test(code))?.[1];
  // The statements are constants, so one that SQLite refuses means that the schema is not ours.
  const isBroken = code === 'SQLITE_ERROR' && !message.includes('transaction');
  if (fault === undefined && syscall === undefined && !isBroken) return null;
  return databaseFailure(fault ?? 'database-broken', file, message);
}

/** The file that a symbolic link leads to: SQLite keeps the journal beside it. */
export function realNameOf(file: string): string {
  return existsSync(file) ? realpathSync.native(file) : file;
}

/** Finds out why SQLite could not open the file, its journal or its WAL. */
function openFailure(file: string): Failure | null {
  if (existsSync(`${realNameOf(file)}-wal`)) return databaseFailure('database-wal', file);
  if (existsSync(`${realNameOf(file)}-journal`)) return databaseFailure('database-interrupted', file);
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    return databaseFailureOf(file, error);
  }
  return writeFailure(file);
}

/** Finds out why the file or a journal beside it cannot be written; null if both can. */
export function writeFailure(file: string, places = [file, dirname(realNameOf(file))]): Failure | null {
  for (const place of places) {
    try {
      accessSync(place, constants.W_OK);
    } catch (error) {
      const isReadOnly = (error as NodeJS.ErrnoException).code === 'EROFS';
      return databaseFailure(isReadOnly ? 'database-readonly' : 'database-unwritable', file);
    }
  }
  return null;
}
