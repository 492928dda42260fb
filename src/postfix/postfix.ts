// One Postfix instance, through its own commands: postconf(1) and postfix(1).
//
// DIAGNOSTICS: Trouble when there is no Postfix, when it is too old, or when it cannot read its configuration.
import * as path from 'node:path';
import { complaintOf, findProgram, refused, run, shellLine } from './run';

/** `{ unix:private/NAME, request_limit=1 }` and braces in master.cf came with Postfix 3.0. */
const OLDEST = 3;

export class Postfix {
  readonly version: string;
  readonly configDir: string;
  readonly queueDir: string;
  readonly mailOwner: string;
  /** The words that choose this instance, for a command line that is printed. */
  readonly chosen: readonly string[];
  private readonly values: ReadonlyMap<string, string>;

  /** `configDir`: from -c, or null for the default instance. */
  constructor(configDir: string | null) {
    // Absolute, because programs are run in the queue directory and commands are pasted elsewhere.
    this.chosen = configDir === null ? [] : ['-c', path.resolve(configDir)];
    this.values = postconf([...this.chosen, '-x']);
    this.version = this.value('mail_version');
    // postconf of Postfix 3.10 names the default folder for a moment after any main.cf has been written.
    const named = configDir ?? process.env['MAIL_CONFIG'];
    this.configDir = named === undefined ? this.value('config_directory') : path.resolve(named);
    this.queueDir = this.value('queue_directory');
    this.mailOwner = this.value('mail_owner');
    if (!(Number.parseInt(this.version, 10) >= OLDEST)) {
      throw refused(`Postfix ${this.version} is too old`, 'this program needs Postfix 3.0 or newer');
    }
  }

  /** The value of a parameter, expanded. */
  value(name: string): string {
    return this.values.get(name) ?? '';
  }

  /** Throws Trouble when Postfix cannot read its files. */
  readConfiguration(): void {
    postconf([...this.chosen, '-n']);
    postconf([...this.chosen, '-M']);
  }

  /** The folders of the default instance and of those that it lists. Empty when the default instance cannot be read. */
  listedFolders(): string[] {
    const names = ['config_directory', 'alternate_config_directories', 'multi_instance_directories'];
    const { MAIL_CONFIG: _, ...env } = process.env;
    const ran = run(programOf('postconf'), ['-x', '-h', ...names], env);
    return ran.status === 0 ? ran.stdout.split(/[\s,]+/).filter((word) => word !== '') : [];
  }

  /** What `postfix status` does, without its line in the mail log. */
  isRunning(): boolean {
    const master = path.join(this.value('daemon_directory'), 'master');
    // Status 0: the lock of the pid file is free. Who is not root cannot look and gets another one.
    return run(master, ['-c', this.configDir, '-t']).status === 1;
  }

  /** The words of a postfix(1) command for this instance. */
  command(word: 'check' | 'reload' | 'start'): string[] {
    return ['postfix', ...this.chosen, word];
  }

  /** One of our own commands for this instance, as it can be pasted into a shell. */
  ownCommand(...words: readonly string[]): string {
    const [command = '', ...rest] = words;
    return shellLine(['allow-nets', command, ...this.chosen, ...rest]);
  }

  /** postfix(1) with this word. Throws Trouble when it fails. */
  do(word: 'check' | 'reload' | 'start'): void {
    const ran = run(programOf('postfix'), this.command(word).slice(1));
    if (ran.status !== 0) throw refused(`postfix ${word} failed (${complaintOf(ran)})`);
  }
}

/** The lines `NAME = VALUE` that postconf prints. Throws Trouble when it fails. */
export function postconf(words: readonly string[]): Map<string, string> {
  const ran = run(programOf('postconf'), words);
  if (ran.status !== 0) throw refused(`postconf failed (${complaintOf(ran)})`, 'is -c the folder of main.cf?');
  const pairs = [...ran.stdout.matchAll(/^(.*?) =(.*)$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.trim()]));
}

function programOf(name: string): string {
  const program = findProgram(name);
  if (program === null) {
    throw refused(`there is no ${name}`, 'install Postfix, or put the folder of its commands into PATH');
  }
  return program;
}
