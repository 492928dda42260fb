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
  | { kind: 'addon-other-node'; addon: string; folder: string; node: string }
  | { kind: 'addon-missing'; addon: string; folder: string }
  | { kind: 'addon-broken'; addon: string; folder: string; detail: string }
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
  readonly hint: string | null;
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
        hint: `put the file back, or run as root: allow-nets init --db ${failure.file}`,
      };
    case 'database-forbidden':
      return failure.write
        ? { problem: `no permission to write database ${failure.file}`, hint: 'run the command as root' }
        : {
            problem: `no permission to read database ${failure.file}`,
            hint: `let the service user read it, as root: chmod 644 ${failure.file}, and chmod a+x on each folder above it`,
          };
    case 'database-broken':
      return {
        problem: `database ${failure.file} cannot be used (${failure.detail})`,
        hint: `put a good copy in its place, or move it away and run as root: allow-nets init --db ${failure.file}`,
      };
    case 'database-version':
      return failure.found > failure.known
        ? {
            problem: `database ${failure.file} has schema version ${failure.found}, this program knows ${failure.known}`,
            hint: 'install the version of postfix-allow-nets that made it, or a newer one',
          }
        : {
            problem: `${failure.file} is no database of allow-nets (schema version ${failure.found})`,
            hint: `check --db, or run as root: allow-nets init --db ${failure.file}`,
          };
    case 'database-interrupted':
      return {
        problem: `database ${failure.file} holds an interrupted change and cannot be read without write permission`,
        hint: `repair it by running as root: allow-nets list --db ${failure.file}`,
      };
    case 'database-wal':
      return {
        problem: `database ${failure.file} is in write-ahead mode, which the service user cannot read for sure`,
        hint: `set it back by running as root: allow-nets list --db ${failure.file}`,
      };
    case 'database-busy':
      return {
        problem: `database ${failure.file} is locked by another program for more than 2 seconds`,
        hint: `try again; to see who holds it, run as root: fuser -v ${failure.file}`,
      };
    case 'database-full':
      return {
        problem: `there is no room on the disk to change database ${failure.file}`,
        hint: `nothing was changed; free some, there and in /var/tmp: df -h ${failure.file.replace(/\/[^/]*$/, '') || '/'} /var/tmp`,
      };
    case 'addon-other-node':
      return {
        problem: `better-sqlite3 was built for another Node.js than ${failure.node}`,
        hint: `rebuild it as the owner of the folder: cd ${failure.folder} && npm rebuild better-sqlite3`,
      };
    case 'addon-missing':
      return {
        problem: `better-sqlite3's native addon is missing (${failure.addon})`,
        // npm 12 builds nothing that it is not told to; npm rebuild asks the package's own allowScripts.
        hint: `build it as the owner of the folder: cd ${failure.folder} && npm rebuild better-sqlite3 (npm 12 and newer leave it out unless told: npm install -g --allow-scripts=better-sqlite3)`,
      };
    case 'addon-broken':
      return {
        problem: `better-sqlite3's native addon cannot be loaded (${failure.detail})`,
        hint: `let the service user read ${failure.addon}, or rebuild it: cd ${failure.folder} && npm rebuild better-sqlite3`,
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
    case 'addon-other-node':
    case 'addon-missing':
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

/** For the mail log: one line. */
export function asLogLine(failure: Failure): string {
  const { problem, hint } = words(failure);
  return oneLine(hint === null ? problem : `${problem}; ${hint}`);
}

/** For a terminal. */
export function asErrorLines(failure: Failure): string {
  const { problem, hint } = words(failure);
  const error = `allow-nets: error: ${oneLine(problem)}\n`;
  return hint === null ? error : `${error}allow-nets: hint: ${oneLine(hint)}\n`;
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not pass
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '?');
}

export function unreachable(value: never): never {
  throw new Error(`not handled: ${JSON.stringify(value)}`);
}
