// Finds smtpd services that do not start because smtpd(8) got an argument that is not an option, such as half of a
// value.
import { smtpdServices } from '../postfix/configuration';
import { type Finding, fail, ok } from './finding';
import type { InstalledService } from './installed-service';

const CHECK = 'smtpd options';

export function* smtpdOptionFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  const wrong = smtpdServices(files).filter(({ words }) => words.some(isLoose));
  for (const { name, type, words } of wrong) {
    const loose = words.filter(isLoose).join(' ');
    const message = `${name}/${type} does not start: "${loose}" is not an option of smtpd`;
    const edit = 'write an option whose value has a blank in braces in master.cf, -o { NAME = VALUE }';
    yield fail(CHECK, message, postfix.manualFix(edit));
  }
  if (wrong.length === 0) yield ok(CHECK, 'every word is an option or a value');
}

/** Matches options whose value is the next word (getopt(3) in Postfix's src/master/single_server.c). */
const TAKES_NEXT = /^-[cdDluvVz]*[imnorst]$/;

const isLoose = (word: string, i: number, words: readonly string[]): boolean =>
  !word.startsWith('-') && !TAKES_NEXT.test(words[i - 1] ?? '');
