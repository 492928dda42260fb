// One Postfix instance, controlled with postconf(1) and postfix(1).
//
// DIAGNOSTICS: throws Trouble if Postfix is missing, too old, or cannot read its configuration.
import * as path from 'node:path';
import { type Fix, refusal, shellLine } from '../failure';
import { failureText, findProgram, run } from './run';

/** `{ unix:private/NAME, request_limit=1 }` and braces in master.cf came with Postfix 3.0. */
const OLDEST = 3;

export class Postfix {
  readonly version: string;
  readonly configDir: string;
  readonly queueDir: string;
  readonly mailOwner: string;
  /** The options that select this instance, for printed command lines. */
  readonly chosen: readonly string[];
  private readonly values: ReadonlyMap<string, string>;

  /** `configDir`: from -c, or null for the default instance. */
  constructor(configDir: string | null) {
    // Absolute, because programs run in the queue directory and commands may be pasted in any directory.
    this.chosen = configDir === null ? [] : ['-c', path.resolve(configDir)];
    this.values = postconf([...this.chosen, '-x']);
    this.version = this.value('mail_version');
    // Not from postconf: for a moment after a main.cf was written, that of Postfix 3.10 prints the default directory.
    const named = configDir ?? process.env['MAIL_CONFIG'];
    this.configDir = named === undefined ? this.value('config_directory') : path.resolve(named);
    this.queueDir = this.value('queue_directory');
    this.mailOwner = this.value('mail_owner');
    if (!(Number.parseInt(this.version, 10) >= OLDEST)) {
      throw refusal(`Postfix ${this.version} is too old`, 'this program needs Postfix 3.0 or newer');
    }
  }

  /** The expanded value of a parameter. */
  value(name: string): string {
    return this.values.get(name) ?? '';
  }

  /** Throws Trouble if Postfix cannot read its files. */
  readConfiguration(): void {
    postconf([...this.chosen, '-n']);
    postconf([...this.chosen, '-M']);
  }

  /** The configuration directories of the default instance and of those that it lists; empty if it cannot be read. */
  listedFolders(): string[] {
    const names = ['config_directory', 'alternate_config_directories', 'multi_instance_directories'];
    const { MAIL_CONFIG: _, ...env } = process.env;
    const ran = run(programOf('postconf'), ['-x', '-h', ...names], env);
    return ran.status === 0 ? ran.stdout.split(/[\s,]+/).filter((word) => word !== '') : [];
  }

  /** Like `postfix status`, but without a line in the mail log. Requires root, else false. */
  isRunning(): boolean {
    const master = path.join(this.value('daemon_directory'), 'master');
    // Status 0: nobody has locked the pid file. 1: somebody has. Others: no permission.
    return run(master, ['-c', this.configDir, '-t']).status === 1;
  }

  /** A postfix(1) command line for this instance. */
  command(word: 'check' | 'reload' | 'start' | 'stop'): string[] {
    return ['postfix', ...this.chosen, word];
  }

  /** Loads changed files. */
  get reloadCommand(): string {
    return shellLine(this.command('reload'));
  }

  /** `postconf WORDS && postfix reload`, ready to be pasted into a shell. */
  postconfCommand(...words: readonly string[]): string {
    return `${shellLine(['postconf', ...this.chosen, ...words])} && ${this.reloadCommand}`;
  }

  /** A manual edit, and the reload after it. */
  manualFix(edit: string): Fix {
    return { hint: `${edit}; then`, command: this.reloadCommand };
  }

  /** One of our own commands for this instance, ready to be pasted into a shell. */
  ownCommand(...words: readonly string[]): string {
    const [command = '', ...rest] = words;
    return shellLine(['allow-nets', command, ...this.chosen, ...rest]);
  }

  /** Runs postfix(1). Throws Trouble if it fails. */
  do(word: 'check' | 'reload' | 'start'): void {
    const ran = run(programOf('postfix'), this.command(word).slice(1));
    // Without a terminal, postfix(1) prints its reason only to the mail log.
    if (ran.status !== 0) throw refusal(`postfix ${word} failed (${failureText(ran)})`, 'the mail log says why');
  }
}

/** Runs postconf and parses its lines `NAME = VALUE`. Throws Trouble if it fails. */
export function postconf(words: readonly string[]): Map<string, string> {
  const ran = run(programOf('postconf'), words);
  if (ran.status !== 0) throw refusal(`postconf failed (${failureText(ran)})`, 'is -c the folder of main.cf?');
  const pairs = [...ran.stdout.matchAll(/^(.*?) =(.*)$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.trim()]));
}

function programOf(name: string): string {
  const program = findProgram(name);
  if (program === null) {
    throw refusal(`there is no ${name}`, 'install Postfix, or put the folder of its commands into PATH');
  }
  return program;
}
