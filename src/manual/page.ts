// Makes man/allow-nets.8 from the same descriptions as the --help texts. `npm run build` writes it.
import type { Options } from 'yargs';
import { type Command, DB_OPTION, POLICY_ABOUT, POLICY_OPTIONS, POLICY_USAGE, usageOf } from '../cli/command';
import { COMMANDS } from '../commands';
import { DESCRIPTION, REFERENCE, SEE_ALSO } from './chapters';
import { roff } from './roff';

/** The page in man(7) source. */
export function manualPage(version: string): string {
  const body = [
    '# SYNOPSIS',
    ...[POLICY_USAGE.split('\n')[0], ...COMMANDS.map((command) => `allow-nets ${usageOf(command)}`)].map(
      (line) => `    ${line}`,
    ),
    DESCRIPTION,
    '# OPTIONS OF THE POLICY PROGRAM',
    POLICY_ABOUT.replaceAll('\n', ' '),
    ...options({ db: DB_OPTION, ...POLICY_OPTIONS }),
    '# COMMANDS',
    'All take --db FILE and --help. allow-nets --version prints the version.',
    ...COMMANDS.flatMap(chapterOf),
    REFERENCE,
    '# EXAMPLES',
    ...COMMANDS.flatMap(({ examples }) => examples.map(([line, about]) => `${line} :: ${sentence(about)}`)),
    SEE_ALSO,
  ];
  return `.\\" Made by npm run build from src/manual and the descriptions of the commands.
.TH ALLOW\\-NETS 8 "" "postfix\\-allow\\-nets ${version}" "System Administration"
.SH NAME
allow\\-nets \\- let authenticated users send mail only from their networks
${roff(body.join('\n'))}
`;
}

function chapterOf(command: Command): string[] {
  const { summary, about = [], positionals = {}, options: own = {} } = command;
  return [
    `## ${usageOf(command)}`,
    sentence(summary),
    ...about,
    ...Object.entries(positionals).map(([name, text]) => `${name.toUpperCase()} :: ${sentence(text)}`),
    ...options(own),
  ];
}

function options(all: Readonly<Record<string, Options>>): string[] {
  return Object.entries(all).map(([name, option]) => `${tagOf(name, option)} :: ${sentence(option.describe ?? '')}`);
}

/** The placeholders of option values, where they are not the option's name in capitals. */
const VALUES: Readonly<Record<string, string>> = {
  db: 'FILE',
  'reject-text': 'TEXT',
  until: 'TIME',
  at: 'TIME',
  since: 'TIME',
  for: '7d|12h|30m',
  note: 'TEXT',
  'config-dir': 'DIR',
  service: 'NAME',
};

function tagOf(name: string, option: Options): string {
  const value = option.choices?.join('|') ?? VALUES[name] ?? name.toUpperCase();
  const takesValue = option.type !== 'boolean';
  const short = typeof option.alias === 'string' ? `-${option.alias}${takesValue ? ` ${value}` : ''}, ` : '';
  return `${short}--${name}${takesValue ? ` ${value}` : ''}`;
}

function sentence(text: string): string {
  const upper = /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.?!]$/.test(upper) ? upper : `${upper}.`;
}
