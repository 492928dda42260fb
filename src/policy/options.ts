// Parses the command line of the policy program. yargs is not used: loading it would take longer than the answer.
//
// DIAGNOSTICS: a wrong option is Trouble with status 64. A command line with a command, --help or --version is left to
// yargs.

import { resolve } from 'node:path';
import { isUnderPostfix } from '../descriptor';
import { type Trouble, wrongUsage } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import { DEFAULT_REJECT_TEXT } from './protocol';

export type LogLevel = 'none' | 'reject' | 'all';

export interface PolicyOptions {
  readonly db: string;
  readonly persistent: boolean;
  readonly rejectText: string;
  readonly log: LogLevel;
}

/**
 * `word`: the first word that is not an option, or null. `optionError`: what is wrong in the options before it, or null; a
 * command reports it itself.
 */
export type CommandLine =
  | { readonly kind: 'policy'; readonly options: PolicyOptions }
  | { readonly kind: 'command'; readonly word: string | null; readonly optionError: string | null };

const WITH_VALUE = ['--db', '--reject-text', '--log'];

const FOR_COMMANDS = ['--help', '-h', '-?', '--version', '-V', '-v'];

/** `words`: the command line after the program's name. */
export function readCommandLine(words: readonly string[], environment: NodeJS.ProcessEnv): CommandLine {
  const values = new Map<string, string>();
  let persistent = false;
  let optionError: string | null = null;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    // Postfix must not get the help for an answer.
    if (FOR_COMMANDS.includes(word) && !isUnderPostfix) return { kind: 'command', word: null, optionError: null };
    if (!word.startsWith('-')) return { kind: 'command', word, optionError };
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (word === '--persistent') persistent = true;
    else if (WITH_VALUE.includes(name)) {
      const value = equals < 0 ? words[++i] : word.slice(equals + 1);
      if (value === undefined || value === '') optionError ??= `${name} requires a value`;
      else values.set(name, value);
    } else optionError ??= `unknown option ${word}`;
  }
  if (optionError !== null) throw wrongOption(optionError);
  return {
    kind: 'policy',
    options: {
      db: resolve(values.get('--db') ?? (environment['ALLOW_NETS_DB'] || DEFAULT_DATABASE)),
      persistent,
      rejectText: values.get('--reject-text') ?? DEFAULT_REJECT_TEXT,
      log: logLevel(values.get('--log') ?? 'reject'),
    },
  };
}

function logLevel(value: string): LogLevel {
  if (value === 'none' || value === 'reject' || value === 'all') return value;
  throw wrongOption(`--log is none, reject or all, not ${value}`);
}

export function wrongOption(problem: string): Trouble {
  const usage = 'allow-nets [--db FILE] [--persistent] [--reject-text TEXT] [--log none|reject|all]';
  const hint = isUnderPostfix
    ? `correct the argv= of the master.cf entry: ${usage}`
    : `see allow-nets --help; the policy program is: ${usage}`;
  return wrongUsage(problem, hint);
}
