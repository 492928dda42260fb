// One Postfix instance, through its own commands: postconf(1) and postfix(1).
//
// Trouble when there is no Postfix, when it is too old, or when it cannot read its configuration.
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
  private running: boolean | null = null;

  /** `configDir`: from -c, or null for the default instance. */
  constructor(configDir: string | null) {
    // Absolute, because programs are run in the queue directory and commands are pasted elsewhere.
    this.chosen = configDir === null ? [] : ['-c', path.resolve(configDir)];
    this.values = pairs(this.postconf());
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

  /** As it was when first asked. What `postfix status` does, without its line in the mail log. */
  isRunning(): boolean {
    const master = path.join(this.value('daemon_directory'), 'master');
    // Status 0: the lock of the pid file is free. Who is not root cannot look and gets another one.
    this.running ??= run(master, ['-c', this.configDir, '-t']).status === 1;
    return this.running;
  }

  check(): void {
    this.mustDo('check');
  }

  reload(): void {
    this.mustDo('reload');
  }

  private mustDo(word: string): void {
    const ran = this.postfix(word);
    if (ran.status !== 0) throw refused(`postfix ${word} failed (${complaintOf(ran)})`);
  }

  private postfix(word: string) {
    return run(found('postfix'), [...this.chosen, word]);
  }

  private postconf(...words: readonly string[]): string {
    // Expanded, so that a value like $config_directory is one of use here.
    const expand = words.length === 0 ? ['-x'] : words;
    const ran = run(found('postconf'), [...this.chosen, ...expand]);
    if (ran.status !== 0)
      throw refused(`postconf failed (${complaintOf(ran)})`, 'is -c the folder of main.cf?');
    return ran.stdout;
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
