// Finds smtpd services that do not start because smtpd(8) got an argument that is not an option, such as half of a
// value.
import { smtpdServices } from '../postfix/configuration';
import { quoteWord } from '../postfix/policy-service';
import { type Finding, fail, ok } from './finding';
import type { InstalledService } from './installed-service';

const CHECK = 'smtpd options';

export function* smtpdOptionFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  const wrong = smtpdServices(files).filter(({ words }) => words.some(isLoose));
  for (const { name, type, fields, command, words } of wrong) {
    const loose = words.filter(isLoose).join(' ');
    const values: string[] = [];
    for (const [i, word] of words.entries()) {
      if (isLoose(word, i, words) && i > 0) values.push(`${values.pop()} ${word}`);
      else values.push(word);
    }
    const entry = [name, type, ...fields, command, ...values.map(quoteWord)].join(' ');
    yield fail(CHECK, `${name}/${type} does not start: "${loose}" is not an option of smtpd`, {
      hint: 'write a value with a blank in braces',
      command: postfix.postconfCommand('-M', `${name}/${type}=${entry}`),
    });
  }
  if (wrong.length === 0) yield ok(CHECK, 'every word is an option or a value');
}

/** Matches options whose value is the next word (getopt(3) in Postfix's src/master/single_server.c). */
const TAKES_NEXT = /^-[cdDluvVz]*[imnorst]$/;

const isLoose = (word: string, i: number, words: readonly string[]): boolean =>
  !word.startsWith('-') && !TAKES_NEXT.test(words[i - 1] ?? '');
