// Parses and formats the master.cf entry of the policy program, which spawn(8) runs.
import { refusal } from '../failure';
import { DEFAULT_DATABASE } from '../rules/database';
import { BALANCED, type Service, serviceIn } from './config-text';
import { portOf } from './policy-check';

/** How Postfix is to run the program. */
export interface PolicyService {
  readonly name: string;
  /** The value of `user=`, NAME or NAME:GROUP. */
  readonly user: string;
  /** Program and arguments. */
  readonly argv: readonly string[];
}

/** A service as its entry has it. */
export interface PresentService extends PolicyService {
  /** The words of argv before our program, usually Node.js. */
  readonly interpreter: readonly string[];
  /** The path of our program in argv. */
  readonly script: string;
  readonly persistent: boolean;
  /** The value of --db, or its default. */
  readonly db: string;
  /** --reject-text, --log and unknown words, each with its value. */
  readonly others: readonly (readonly string[])[];
}

/** Parses an entry that runs our program; null for any other. */
export function policyServiceOf({ name, command, words }: Service): PresentService | null {
  const first = words.findIndex((word) => word.startsWith('argv='));
  const argv = words.slice(first).map((word, i) => (i === 0 ? word.slice('argv='.length) : word));
  const index = argv.findIndex((word) => /(^|\/)allow-nets(\.js)?$/.test(word));
  if (command !== 'spawn' || first < 0 || index < 0) return null;
  const user = words.slice(0, first).findLast((word) => word.startsWith('user='));
  const interpreter = argv.slice(0, index);
  const options = optionsIn(argv.slice(index + 1));
  return { name, user: user?.slice('user='.length) ?? '', argv, interpreter, script: argv[index] ?? '', ...options };
}

function optionsIn(words: readonly string[]): Pick<PresentService, 'persistent' | 'db' | 'others'> {
  const others: string[][] = [];
  let db = DEFAULT_DATABASE;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--db') db = words[++i] ?? DEFAULT_DATABASE;
    else if (word.startsWith('--db=')) db = word.slice('--db='.length);
    else if (/^--(reject-text|log)$/.test(word)) others.push(words.slice(i, ++i + 1));
    else if (word !== '--persistent') others.push([word]);
  }
  return { persistent: words.includes('--persistent'), db, others };
}

/** How restriction lists name the service, as `isCheckOf` takes it. */
export const targetOf = ({ name, type }: Service): string => (type === 'inet' ? `inet:*:${portOf(name)}` : name);

const FIELDS = ['-', 'n', 'n', '-', '0'] as const;

/** What is wrong with the fields of an entry, or null. */
export function fieldFault({ type, fields }: Service): string | null {
  // Private (an inet service cannot be); as root, to switch to the service user; no chroot; no process limit, as each
  // smtpd process needs one.
  const found = fields.join(' ');
  const right = type === 'inet' ? /^n n [n-] \S+ 0$/ : /^[y-] n [n-] \S+ 0$/;
  const wanted = fieldsOf(type).join(' ');
  return right.test(found)
    ? null
    : `private, unpriv, chroot, wakeup and maxproc are "${found}" and must be "${wanted}"`;
}

const fieldsOf = (type: string): string[] => [type === 'inet' ? 'n' : '-', ...FIELDS.slice(1)];

/**
 * Quotes a word for master.cf (master(5), Postfix 3.0 and later). Throws Trouble for a word that cannot be quoted: an
 * unbalanced brace would end the running master(8).
 */
export function quoteWord(word: string): string {
  if (!new RegExp(`^${BALANCED}$`).test(word) || /\p{Cc}|^\s|\s$/u.test(word)) {
    throw refusal(
      `master.cf cannot hold ${JSON.stringify(word)}`,
      'use a name without unbalanced braces, control characters and blanks at its ends',
    );
  }
  return /[\s{}]/.test(word) || word === '' ? `{${word}}` : word;
}

const argvText = ([program = '', ...rest]: readonly string[]): string =>
  [quoteWord(`argv=${program}`), ...rest.map(quoteWord)].join(' ');

/** The entry on one line, as `postconf -M NAME/TYPE='...'` takes it. */
export const entryText = ({ name, user, argv }: PolicyService, type: string): string =>
  [name, type, ...fieldsOf(type), 'spawn', `user=${user}`, argvText(argv)].join(' ');

/** The entry's lines in master.cf, in columns. `present`: the present lines, which are returned if they are right. */
export function entryLines(wanted: PolicyService, present = ''): string {
  const entry = serviceIn(present);
  const now = entry === null ? null : policyServiceOf(entry);
  const isSame = now?.user === wanted.user && now.argv.join('\n') === wanted.argv.join('\n');
  if (entry !== null && isSame && fieldFault(entry) === null) return present;
  const columns = FIELDS.map((field) => field.padEnd(7)).join(' ');
  return `${wanted.name.padEnd(10)} unix  ${columns} spawn user=${wanted.user}\n    ${argvText(wanted.argv)}`;
}
