// Makes man/allow-nets.8 from the same descriptions as the --help texts. `npm run build` writes it.
import type { Options } from 'yargs';
import { type Command, usageOf } from '../cli/command';
import { DB_OPTION, POLICY_ABOUT, POLICY_OPTIONS, POLICY_USAGE } from '../cli/policy-usage';
import { COMMANDS } from '../commands';
import * as chapters from './chapters';
import { item, paragraph, section, subsection, verbatim } from './roff';

/** The page in man(7) source. */
export function manualPage(version: string): string {
  return `${[
    `.\\" Made by npm run build from src/manual and the descriptions of the commands.`,
    `.TH ALLOW\\-NETS 8 "" "postfix\\-allow\\-nets ${version}" "System Administration"`,
    section('NAME'),
    'allow\\-nets \\- let authenticated users send mail only from their networks',
    section('SYNOPSIS'),
    verbatim(synopsis()),
    ...chapters.DESCRIPTION,
    section('OPTIONS OF THE POLICY PROGRAM'),
    paragraph(POLICY_ABOUT.replaceAll('\n', ' ')),
    ...options({ db: DB_OPTION, ...POLICY_OPTIONS }),
    section('COMMANDS'),
    paragraph('All take --db FILE and --help. allow-nets --version prints the version.'),
    ...COMMANDS.flatMap(chapterOf),
    ...chapters.DECISION,
    ...chapters.DATABASE,
    ...chapters.POSTFIX_CONFIGURATION,
    ...chapters.DIAGNOSTICS,
    ...chapters.EXIT_STATUS,
    ...chapters.FILES,
    section('EXAMPLES'),
    ...COMMANDS.flatMap(({ examples }) => examples.map(([line, about]) => item(line, sentence(about)))),
    ...chapters.SEE_ALSO,
  ].join('\n')}\n`;
}

function synopsis(): string {
  const first = POLICY_USAGE.split('\n')[0] ?? '';
  return [first, ...COMMANDS.map(({ line }) => `allow-nets ${usageOf(line)} [OPTION...]`)].join('\n');
}

function chapterOf({ line, summary, about, positionals, options: own }: Command): string[] {
  return [
    subsection(usageOf(line)),
    paragraph(sentence(summary)),
    ...(about ?? []).map(paragraph),
    ...Object.entries(positionals ?? {}).map(([name, text]) => item(name.toUpperCase(), sentence(text))),
    ...options(own ?? {}),
  ];
}

function options(all: Readonly<Record<string, Options>>): string[] {
  return Object.entries(all).map(([name, option]) => item(tagOf(name, option), sentence(option.describe ?? '')));
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
