// What can go wrong, as data, and the only place that puts it into words.
//
// A failure is thrown as Trouble. The policy program ends without a reply, so that Postfix answers with a temporary error; the mail
// log gets one line with what to do next. A command prints the same as an error and a hint. Nothing here ever means "allowed".

export type Failure =
  | { kind: 'option'; problem: string; hint?: string }
  | { kind: 'request'; problem: string }
  | { kind: 'database-missing'; file: string }
  | { kind: 'database-forbidden'; file: string; write: boolean }
  | { kind: 'database-broken'; file: string; detail: string }
  | { kind: 'database-version'; file: string; found: number; known: number }
  | { kind: 'database-interrupted'; file: string }
  | { kind: 'database-wal'; file: string }
  | { kind: 'database-busy'; file: string }
  | { kind: 'database-full'; file: string }
  | { kind: 'database-readonly'; file: string }
  | { kind: 'node-too-old'; node: string }
  | { kind: 'addon-crashes'; folder: string; version: string; wanted: 12 | 13 | null; node: string }
  | { kind: 'addon-other-node'; folder: string; node: string }
  | { kind: 'addon-missing'; folder: string }
  | { kind: 'addon-forbidden'; file: string }
  | { kind: 'addon-broken'; folder: string; detail: string }
  | { kind: 'output'; detail: string }
  | { kind: 'refused'; problem: string; hint?: string }
  | { kind: 'bug'; error: unknown };

export class Trouble extends Error {
  constructor(readonly failure: Failure) {
    super(words(failure).problem);
    this.name = 'Trouble';
  }
}

/** For `catch`: what was thrown, as a failure. */
export function failureOf(error: unknown): Failure {
  return error instanceof Trouble ? error.failure : { kind: 'bug', error };
}

export interface Words {
  readonly problem: string;
  /** What to do next. */
  readonly hint: string | null;
  /** The shell command that does it, to be run as root or as the hint says. */
  readonly command?: string;
}

/** What happened and what to do next, for people: lower case, no full stop. */
export function words(failure: Failure): Words {
  switch (failure.kind) {
    case 'option':
    case 'refused':
      return { problem: failure.problem, hint: failure.hint ?? null };
    case 'request':
      return {
        problem: `policy request not understood: ${failure.problem}`,
        hint: 'let only check_policy_service talk to this program, one "name=value" a line and an empty line at the end',
      };
    case 'database-missing':
      return {
        problem: `there is no database ${failure.file}`,
        hint: `put the file back from a copy; for a new installation run as root: allow-nets init${db(failure.file)}`,
      };
    case 'database-forbidden':
      return failure.write
        ? { problem: `no permission to write database ${failure.file}`, hint: 'run the command as root' }
        : {
            problem: `no permission to read database ${failure.file}`,
            hint: `let the service user's group read it, as root: allow-nets init${db(failure.file)}, or: chgrp GROUP ${shellWord(failure.file)} && chmod 640 ${shellWord(failure.file)}, and chmod g+x on each folder above it`,
          };
    case 'database-readonly':
      return {
        problem: `database ${failure.file} is on a read-only file system`,
        hint: 'find out why, and mount it for writing',
        command: `findmnt -T ${shellWord(failure.file)}`,
      };
    case 'database-broken':
      return {
        problem: `database ${failure.file} cannot be used (${failure.detail})`,
        hint: `put a good copy in its place, or move it away and run as root: allow-nets init${db(failure.file)}`,
      };
    case 'database-version':
      return failure.found > failure.known
        ? {
            problem: `database ${failure.file} has schema version ${failure.found}, this program knows ${failure.known}`,
            hint: 'install the version of postfix-allow-nets that made it, or a newer one',
          }
        : {
            problem: `${failure.file} is not a database of allow-nets (schema version ${failure.found})`,
            hint: `check --db, or run as root: allow-nets init${db(failure.file)}`,
          };
    case 'database-interrupted':
      return {
        problem: `database ${failure.file} holds an interrupted change, which only a program with write permission can roll back`,
        hint: 'roll it back by running as root',
        command: `allow-nets tidy${db(failure.file)}`,
      };
    case 'database-wal':
      return {
        problem: `database ${failure.file} is in write-ahead mode, which the service user cannot read reliably`,
        hint: 'set it back by running as root',
        command: `allow-nets tidy${db(failure.file)}`,
      };
    case 'database-busy':
      return {
        problem: `database ${failure.file} is locked by another program for more than 2 seconds`,
        hint: 'try again; to see who holds it, run as root',
        command: `fuser -v ${shellWord(failure.file)}`,
      };
    case 'database-full':
      return {
        problem: `there is no room on the disk to change database ${failure.file}`,
        hint: 'nothing was changed; free some space, there and in /var/tmp',
        command: `df -h ${shellWord(failure.file.replace(/\/[^/]*$/, '') || '/')} /var/tmp`,
      };
    case 'node-too-old':
      return {
        problem: `Node.js ${failure.node} is too old`,
        hint: 'install Node.js 20 or newer; then run as root',
        command: 'allow-nets install',
      };
    case 'addon-crashes':
      return {
        problem: `better-sqlite3 ${failure.version} crashes Node.js ${failure.node}, so it was not loaded`,
        hint: 'run as the owner of the folder',
        command: npm(failure.folder, `install --omit=dev --no-save better-sqlite3@${failure.wanted}`),
      };
    case 'addon-other-node':
      return {
        problem: `better-sqlite3 was built for another Node.js than ${failure.node}`,
        hint: 'rebuild it as the owner of the folder',
        command: npm(failure.folder, 'rebuild better-sqlite3'),
      };
    case 'addon-missing':
      return {
        problem: `better-sqlite3, or its native addon, is missing in ${failure.folder}/node_modules`,
        hint: 'build it as the owner of the folder',
        command: npm(failure.folder, 'rebuild better-sqlite3'),
      };
    case 'addon-forbidden':
      return {
        problem: `no permission to read ${failure.file}`,
        hint: 'let everybody read it, as root',
        command: `chmod -R a+rX ${shellWord(failure.file)}`,
      };
    case 'addon-broken':
      return {
        problem: `better-sqlite3's native addon cannot be loaded (${failure.detail})`,
        hint: 'rebuild it as the owner of the folder',
        command: npm(failure.folder, 'rebuild better-sqlite3'),
      };
    case 'output':
      return {
        problem: `the answer cannot be written (${failure.detail})`,
        hint: 'free the space or correct the redirection',
      };
    case 'bug':
      return {
        problem: `a bug: ${stackOf(failure.error)}`,
        hint: 'please report this line to the project, with the version that allow-nets --version prints',
      };
    default:
      return unreachable(failure);
  }
}

/** The option that names the database, where it is not the default one. */
function db(file: string): string {
  return file === '/var/lib/allow-nets/access.db' ? '' : ` --db ${shellWord(file)}`;
}

/** An npm command for the Node.js that runs this program, whichever comes first in the administrator's PATH. */
function npm(folder: string, words: string): string {
  return `cd ${shellWord(folder)} && PATH=${shellWord(process.execPath.replace(/\/[^/]*$/, ''))}:$PATH npm ${words}`;
}

/** A word that a POSIX shell reads as this text. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function stackOf(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.replace(/\s*\n\s*/g, ' | ');
}

/** The exit status of the policy program (sysexits.h). */
export function policyStatus(failure: Failure): 64 | 65 | 70 | 75 | 78 {
  switch (failure.kind) {
    case 'option':
      return 64;
    case 'request':
      return 65;
    case 'database-busy':
      return 75;
    case 'bug':
      return 70;
    case 'refused':
    case 'output':
    case 'database-missing':
    case 'database-forbidden':
    case 'database-broken':
    case 'database-version':
    case 'database-interrupted':
    case 'database-wal':
    case 'database-full':
    case 'database-readonly':
    case 'node-too-old':
    case 'addon-crashes':
    case 'addon-other-node':
    case 'addon-missing':
    case 'addon-forbidden':
    case 'addon-broken':
      return 78;
    default:
      return unreachable(failure);
  }
}

/** The exit status of a command: 2 for wrong usage, 1 for all else that did not work, 70 for a bug. */
export function commandStatus(failure: Failure): 1 | 2 | 70 {
  if (failure.kind === 'option') return 2;
  return failure.kind === 'bug' ? 70 : 1;
}

/** The hint with its command, in one line. */
export function hintLine({ hint, command }: Words): string | null {
  return command === undefined ? hint : [hint, command].filter((one) => one !== null).join(': ');
}

/** For the mail log: one line. */
export function asLogLine(failure: Failure): string {
  const said = words(failure);
  const hint = hintLine(said);
  return printable(hint === null ? said.problem : `${said.problem}; ${hint}`);
}

/** For a terminal. */
export function asErrorLines(failure: Failure): string {
  const said = words(failure);
  const hint = hintLine(said);
  const error = `allow-nets: error: ${printable(said.problem)}\n`;
  return hint === null ? error : `${error}allow-nets: hint: ${printable(hint)}\n`;
}

/** What asErrorLines wrote, read again: how the service's own program says to `doctor` and `install` what is wrong. */
export function parseErrorLines(text: string): Words | null {
  const [, problem] = /^allow-nets: error: (.*)$/m.exec(text) ?? [];
  const [, hint = null, command] = /^allow-nets: hint: (.*?)(?:: (.*))?$/m.exec(text) ?? [];
  if (problem === undefined) return null;
  return command === undefined ? { problem, hint } : { problem, hint, command };
}

/**
 * Text fit for a terminal and for one line of a log: control characters (C0, C1), line and paragraph separators, and the characters that
 * change the direction of what follows (Unicode, Bidi_Control) are shown as `?`.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '?');
}

export function unreachable(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
