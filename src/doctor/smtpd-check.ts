// Checks the smtpd services for what breaks refusals: arguments that are not options, and settings that make a refusal
// temporary.
import type { Service } from '../postfix/config-text';
import { serviceLookup, smtpdServices } from '../postfix/configuration';
import { quoteWord } from '../postfix/policy-service';
import { type Finding, fail, ok, warn } from './finding';
import { andReload, type InstalledService } from './installed-service';

/** Finds services that do not start because smtpd(8) got an argument that is not an option, such as half of a value. */
export function* argumentFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  const check = 'smtpd options';
  const wrong = smtpdServices(files).filter(({ words }) => words.some(isLoose));
  for (const { name, type, fields, command, words } of wrong) {
    const loose = words.filter(isLoose).join(' ');
    const values: string[] = [];
    for (const [i, word] of words.entries()) {
      if (isLoose(word, i, words) && i > 0) values.push(`${values.pop()} ${word}`);
      else values.push(word);
    }
    const entry = [name, type, ...fields, command, ...values.map(quoteWord)].join(' ');
    yield fail(check, `${name}/${type} does not start: "${loose}" is not an option of smtpd`, {
      hint: 'write a value with a blank in braces',
      command: andReload(postfix, ['postconf', ...postfix.chosen, '-M', `${name}/${type}=${entry}`]),
    });
  }
  if (wrong.length === 0) yield ok(check, 'every word is an option or a value');
}

/** Matches options whose value is the next word (getopt(3) in Postfix's src/master/single_server.c). */
const TAKES_NEXT = /^-[cdDluvVz]*[imnorst]$/;

const isLoose = (word: string, i: number, words: readonly string[]): boolean =>
  !word.startsWith('-') && !TAKES_NEXT.test(words[i - 1] ?? '');

/**
 * postconf(5): soft_bounce makes every 5xx a 4xx; access_map_reject_code is the code of a policy service's `reject`.
 */
const MAKES_TEMPORARY: Readonly<Record<string, RegExp>> = {
  soft_bounce: /^yes$/i,
  access_map_reject_code: /^[^5]/,
};

export function* refusalFindings({ files, postfix }: InstalledService): Iterable<Finding> {
  let isGood = true;
  for (const [name, isTemporary] of Object.entries(MAKES_TEMPORARY)) {
    const overridden = smtpdServices(files).filter((smtpd) => smtpd.overrides.has(name));
    for (const smtpd of [null, ...overridden]) {
      const value = smtpd === null ? postfix.value(name) : (serviceLookup(files, smtpd)(name) ?? '');
      if (!isTemporary.test(value)) continue;
      isGood = false;
      const { setting, words } = settingOf(smtpd, name, value);
      const command = andReload(postfix, ['postconf', ...postfix.chosen, ...words]);
      yield warn('refusals', `${setting}: a refusal is temporary, and the client tries again for days`, { command });
    }
  }
  if (isGood) yield ok('refusals', 'permanent');
}

/** A setting as it is written, and the arguments of postconf(1) that remove it. */
function settingOf(smtpd: Service | null, name: string, value: string) {
  if (smtpd === null) return { setting: `${name} = ${value}`, words: ['-X', name] };
  const service = `${smtpd.name}/${smtpd.type}`;
  return { setting: `-o ${name}=${value} of ${service}`, words: ['-PX', `${service}/${name}`] };
}
