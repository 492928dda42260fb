// The master.cf entry of the policy program: reading one, and writing it as spawn(8) wants it.
import { asWord, type Service } from './master-cf';

/** How Postfix is to run the program. */
export interface PolicyService {
  readonly name: string;
  /** The value of `user=`, NAME or NAME:GROUP. */
  readonly user: string;
  /** Program and arguments. */
  readonly argv: readonly string[];
}

/** An entry of spawn(8), or null when it is none. */
export function spawned(service: Service): PolicyService | null {
  const first = service.words.findIndex((word) => word.startsWith('argv='));
  if (service.command !== 'spawn' || first < 0) return null;
  const argv = service.words.slice(first).map((word, i) => (i === 0 ? word.slice('argv='.length) : word));
  const user = service.words.slice(0, first).findLast((word) => word.startsWith('user='));
  return { name: service.name, user: user?.slice('user='.length) ?? '', argv };
}

/** Which word of argv is our program, or -1. */
export function programIndex(argv: readonly string[]): number {
  return argv.findIndex((word) => /(^|\/)allow-nets(\.js)?$/.test(word));
}

export interface ProgramOptions {
  readonly persistent: boolean;
  readonly db: string | null;
  /** The words that are left: --reject-text, --log. */
  readonly others: readonly string[];
}

/** The words after the program's name. */
export function programOptions(words: readonly string[]): ProgramOptions {
  let persistent = false;
  let db: string | null = null;
  const others: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (word === '--persistent') persistent = true;
    else if (word === '--db') db = words[++i] ?? null;
    else if (word.startsWith('--db=')) db = word.slice('--db='.length);
    else {
      others.push(word);
      if (word === '--reject-text' || word === '--log') others.push(...words.slice(i + 1, ++i + 1));
    }
  }
  return { persistent, db, others };
}

export const FIELDS = ['-', 'n', 'n', '-', '0'] as const;

/**
 * Private, started as root (spawn could not become the service user otherwise), not chrooted, no limit to the number of processes: one runs for each smtpd process.
 */
export function hasRightFields(service: Service): boolean {
  const [isPrivate = '', unprivileged, chroot, , limit] = service.fields;
  const isRight = service.type === 'unix' && /^[-y]$/.test(isPrivate) && unprivileged === 'n';
  return isRight && chroot === 'n' && limit === '0';
}

/** The entry's words, as `postconf -M NAME/unix='...'` takes them. */
export function entryText({ name, user, argv }: PolicyService, type: 'unix' | 'inet' = 'unix'): string {
  const [program = '', ...rest] = argv;
  const command = [asWord(`argv=${program}`), ...rest.map(asWord)].join(' ');
  // A service of the network cannot be private (master(5)).
  const fields = type === 'inet' ? ['n', ...FIELDS.slice(1)] : FIELDS;
  return `${name} ${type} ${fields.join(' ')} spawn user=${user} ${command}`;
}

/** The entry's lines in master.cf, in the columns of the others. */
export function entryLines(service: PolicyService): string {
  const text = entryText(service);
  const [, name = '', fields = '', rest = ''] = /^(\S+) unix ((?:\S+ ){5})(.*)$/.exec(text) ?? [];
  const columns = fields
    .trim()
    .split(' ')
    .map((field) => field.padEnd(7))
    .join(' ');
  const [head = '', argv = ''] = rest.split(/ (?=\{?argv=)/);
  return `${name.padEnd(10)} unix  ${columns} ${head}\n    ${argv}`;
}
