// Parses and formats the master.cf entry of the policy program, which spawn(8) runs.
import { BALANCED, type Service, serviceIn } from './config-text';
import { refused } from './run';

/** How Postfix is to run the program. */
export interface PolicyService {
  readonly name: string;
  /** The value of `user=`, NAME or NAME:GROUP. */
  readonly user: string;
  /** Program and arguments. */
  readonly argv: readonly string[];
}

/** Parses an entry that runs spawn(8); null for any other. */
export function policyServiceOf(service: Service): PolicyService | null {
  const first = service.words.findIndex((word) => word.startsWith('argv='));
  if (service.command !== 'spawn' || first < 0) return null;
  const argv = service.words.slice(first).map((word, i) => (i === 0 ? word.slice('argv='.length) : word));
  const user = service.words.slice(0, first).findLast((word) => word.startsWith('user='));
  return { name: service.name, user: user?.slice('user='.length) ?? '', argv };
}

/** The index of our program in argv, or -1. */
export function programIndex(argv: readonly string[]): number {
  return argv.findIndex((word) => /(^|\/)allow-nets(\.js)?$/.test(word));
}

/** Whether the entry runs our program. */
export const runsProgram = (service: Service): boolean => programIndex(policyServiceOf(service)?.argv ?? []) >= 0;

export interface ProgramOptions {
  readonly persistent: boolean;
  readonly db: string | null;
  /** --reject-text and --log, each with its value. */
  readonly others: readonly (readonly string[])[];
}

/** Parses the words after the program's name. */
export function programOptions(words: readonly string[]): ProgramOptions {
  const others: string[][] = [];
  let db: string | null = null;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--db') db = words[++i] ?? null;
    else if (word.startsWith('--db=')) db = word.slice('--db='.length);
    else if (/^--(reject-text|log)$/.test(word)) others.push(words.slice(i, ++i + 1));
    else if (word !== '--persistent') others.push([word]);
  }
  return { persistent: words.includes('--persistent'), db, others };
}

export const FIELDS = ['-', 'n', 'n', '-', '0'] as const;

/** Private; as root, to switch to the service user; no chroot; no process limit, as each smtpd process needs one. */
function hasRightFields({ fields: [isPrivate = '', unprivileged, chroot, , limit] }: Service): boolean {
  return /^[-y]$/.test(isPrivate) && unprivileged === 'n' && chroot === 'n' && limit === '0';
}

/**
 * Quotes a word for master.cf (master(5), Postfix 3.0 and later). Throws Trouble for a word that cannot be quoted: an
 * unbalanced brace would end the running master(8).
 */
export function quoteWord(word: string): string {
  if (!new RegExp(`^${BALANCED}$`).test(word) || /\p{Cc}|^\s|\s$/u.test(word)) {
    throw refused(
      `master.cf cannot hold ${JSON.stringify(word)}`,
      'use a name without unbalanced braces, control characters and blanks at its ends',
    );
  }
  return /[\s{}]/.test(word) || word === '' ? `{${word}}` : word;
}

/** The entry on one line, as `postconf -M NAME/unix='...'` takes it. */
export function entryText({ name, user, argv }: PolicyService, type: 'unix' | 'inet' = 'unix'): string {
  const [program = '', ...rest] = argv;
  // An inet service cannot be private (master(5)).
  const fields = type === 'inet' ? ['n', ...FIELDS.slice(1)] : FIELDS;
  const command = [quoteWord(`argv=${program}`), ...rest.map(quoteWord)];
  return [name, type, ...fields, 'spawn', `user=${user}`, ...command].join(' ');
}

/** The entry's lines in master.cf, in columns. `present`: the present lines, which are returned if they are right. */
export function entryLines(wanted: PolicyService, present?: string): string {
  const service = present === undefined ? null : serviceIn(present);
  const now = service === null ? null : policyServiceOf(service);
  const isSame = now?.user === wanted.user && now.argv.join('\n') === wanted.argv.join('\n');
  if (present !== undefined && service !== null && isSame && hasRightFields(service)) return present;
  const columns = FIELDS.map((field) => field.padEnd(7)).join(' ');
  const argv = entryText(wanted).replace(/^.*? (?=\{?argv=)/, '');
  return `${wanted.name.padEnd(10)} unix  ${columns} spawn user=${wanted.user}\n    ${argv}`;
}
