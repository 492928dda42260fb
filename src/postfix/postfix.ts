// One Postfix instance, through its own commands: postconf(1) and postfix(1).
//
// Trouble when there is no Postfix, when it is too old, or when it cannot read its configuration.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { complaintOf, findProgram, refused, run } from './run';

/** `{ unix:private/NAME, request_limit=1 }` and braces in master.cf came with Postfix 3.0. */
const OLDEST = 3;

export class Postfix {
  readonly version: string;
  readonly configDir: string;
  readonly queueDir: string;
  readonly mailOwner: string;
  /** The words that choose this instance, for a command line that is shown. */
  readonly chosen: readonly string[];
  private readonly values: ReadonlyMap<string, string>;

  /** `configDir`: from -c, or null for the default instance. */
  constructor(configDir: string | null) {
    // Absolute, because programs are run in the queue directory and commands are pasted elsewhere.
    this.chosen = configDir === null ? [] : ['-c', path.resolve(configDir)];
    // Expanded, so that a value like $config_directory is one of use here.
    this.values = pairs(this.postconf('-x'));
    this.version = this.value('mail_version');
    this.configDir = this.value('config_directory');
    this.queueDir = this.value('queue_directory');
    this.mailOwner = this.value('mail_owner');
    if (!(Number.parseInt(this.version, 10) >= OLDEST)) {
      throw refused(`Postfix ${this.version} is too old`, 'this program needs Postfix 3.0 or newer');
    }
  }

  /** The value of a parameter of Postfix's own, expanded. */
  value(name: string): string {
    return this.values.get(name) ?? '';
  }

  /** The names of Postfix's own parameters. */
  builtIn(): Set<string> {
    return new Set(pairs(this.postconf('-d')).keys());
  }

  /** Throws Trouble when Postfix cannot read its files. */
  readConfiguration(): void {
    this.postconf('-n');
    this.postconf('-M');
  }

  /** The default instance's folder, and those of the other instances that it lists. Empty when the default instance cannot be read. */
  listedFolders(): string[] {
    const names = ['config_directory', 'alternate_config_directories', 'multi_instance_directories'];
    const { MAIL_CONFIG: _, ...env } = process.env;
    const ran = run(found('postconf'), ['-x', '-h', ...names], env);
    return ran.status === 0 ? ran.stdout.split(/[\s,]+/).filter((word) => word !== '') : [];
  }

  /** What `postfix status` does, without its line in the mail log. */
  isRunning(): boolean {
    const master = path.join(this.value('daemon_directory'), 'master');
    // Status 0: the lock of the pid file is free. Who is not root cannot look and gets another one.
    return run(master, ['-c', this.configDir, '-t']).status === 1;
  }

  /** postfix(1) with this word. Throws Trouble when it fails. */
  do(word: 'check' | 'reload' | 'start'): void {
    const ran = run(found('postfix'), [...this.chosen, word]);
    if (ran.status !== 0) throw refused(`postfix ${word} failed (${complaintOf(ran)})`);
  }

  private postconf(...words: readonly string[]): string {
    return postconf([...this.chosen, ...words]);
  }
}

function postconf(words: readonly string[]): string {
  const ran = run(found('postconf'), words);
  if (ran.status !== 0) throw refused(`postconf failed (${complaintOf(ran)})`, 'is -c the folder of main.cf?');
  return ran.stdout;
}

/**
 * All parameters of a main.cf with `-o` overrides, defaults included, expanded by Postfix. `folder`: where main.cf lies, for $config_directory. Throws
 * Trouble when Postfix cannot read it.
 */
export function expandedValues(
  main: string,
  folder: string | undefined,
  overrides: readonly string[],
): Map<string, string> {
  const copy = temporaryFolder();
  try {
    fs.writeFileSync(path.join(copy, 'master.cf'), '');
    fs.writeFileSync(path.join(copy, 'main.cf'), main);
    // postconf waits for a second, lest it read half of a file that is being written.
    fs.utimesSync(path.join(copy, 'main.cf'), 0, 0);
    const text = postconf(['-c', copy, '-x', ...overrides.flatMap((one) => ['-o', one])]);
    return pairs(folder === undefined ? text : text.replaceAll(copy, folder));
  } finally {
    fs.rmSync(copy, { recursive: true, force: true });
  }
}

function temporaryFolder(): string {
  try {
    return fs.mkdtempSync(path.join(tmpdir(), 'allow-nets-'));
  } catch (error) {
    throw refused(
      `no file can be made in ${tmpdir()} (${(error as Error).message})`,
      'free some space there, or name another folder: TMPDIR=/dev/shm allow-nets ...',
    );
  }
}

function found(name: string): string {
  const program = findProgram(name);
  if (program === null) {
    throw refused(`there is no ${name}`, 'install Postfix, or put the folder of its commands into PATH');
  }
  return program;
}

function pairs(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const equals = line.indexOf(' =');
      return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 2).trim()] as const];
    }),
  );
}
