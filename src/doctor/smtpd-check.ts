// What in the smtpd services themselves keeps refusals from working: words that are no options, and settings that make a refusal temporary.
import { overrideOf, type Service } from '../postfix/config-text';
import { serviceLookup, smtpdServices } from '../postfix/configuration';
import { asWord } from '../postfix/policy-service';
import type { Postfix } from '../postfix/postfix';
import { type Finding, fail, ok, warn } from './finding';
import { andReload, type InstalledService } from './installed-service';

/** smtpd(8) ends at a word that is no option, and with it the service: a value after -o that was written with a blank. */
export function* argumentFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  const check = 'smtpd options';
  const wrong = smtpdServices(files).filter(({ words }) => looseWords(words).length > 0);
  for (const { name, type, fields, command, words } of wrong) {
    const message = `${name}/${type} does not start: "${looseWords(words).join(' ')}" is not an option of smtpd`;
    const joined = [name, type, ...fields, command, ...joinedWords(words).map(asWord)].join(' ');
    const postconf = ['postconf', ...postfix.chosen, '-M', `${name}/${type}=${joined}`];
    const advice = 'a value with a blank is written -o { NAME = VALUE }';
    yield fail(check, message, { command: andReload(postfix, postconf), advice });
  }
  if (wrong.length === 0) yield ok(check, 'every word is an option or a value');
}

/** Ends in an option that takes the next word (getopt(3) in Postfix's src/master/single_server.c). */
const TAKES_NEXT = /^-[cdDluvVz]*[imnorst]$/;

const isLoose = (words: readonly string[], i: number): boolean =>
  !words[i]?.startsWith('-') && !TAKES_NEXT.test(words[i - 1] ?? '');

const looseWords = (words: readonly string[]) => words.filter((_, i) => isLoose(words, i));

/** The words with each loose one joined to the value before it. */
function joinedWords(words: readonly string[]): string[] {
  const joined: string[] = [];
  words.forEach((word, i) => {
    if (isLoose(words, i) && joined.length > 0) joined.push(`${joined.pop()} ${word}`);
    else joined.push(word);
  });
  return joined;
}

/** postconf(5): soft_bounce makes every 5xx a 4xx; access_map_reject_code is the code of a policy service's `reject`. */
export function* refusalFindings(service: InstalledService): Iterable<Finding> {
  const { files, postfix } = service;
  const found = [...settings(postfix, null, (name) => postfix.value(name))];
  for (const smtpd of smtpdServices(files)) {
    const lookup = serviceLookup(files, smtpd);
    found.push(...settings(postfix, smtpd, (name) => (overrideOf(smtpd, name) === null ? '' : (lookup(name) ?? ''))));
  }
  for (const { text, command } of found) {
    yield warn('refusals', `${text}: a refusal is temporary, and the client tries again for days`, {
      command,
    });
  }
  if (found.length === 0) yield ok('refusals', 'permanent');
}

function* settings(postfix: Postfix, service: Service | null, value: (name: string) => string) {
  const named = (name: string, text: string) =>
    service === null
      ? {
          text: `${name} = ${text}`,
          command: andReload(postfix, ['postconf', ...postfix.chosen, '-X', name]),
        }
      : {
          text: `-o ${name}=${text} of ${service.name}/${service.type}`,
          command: andReload(postfix, [
            'postconf',
            ...postfix.chosen,
            '-PX',
            `${service.name}/${service.type}/${name}`,
          ]),
        };
  if (/^yes$/i.test(value('soft_bounce'))) yield named('soft_bounce', value('soft_bounce'));
  const code = value('access_map_reject_code');
  if (code !== '' && !code.startsWith('5')) yield named('access_map_reject_code', code);
}
