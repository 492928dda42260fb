// Evaluates restriction lists as smtpd does, to find which policy services an smtpd service asks, and what may end a
// list before that.
//
// smtpd evaluates a list until a restriction decides, and `permit` makes it skip the rest of that list
// (SMTPD_ACCESS_README, "How Postfix evaluates SMTP access restriction lists"). So a check must stand before every
// restriction of its list that may permit. An unknown restriction may permit: the doctor then warns.
import { COMMA_OR_SPACE, type Service, wordsOf } from './config-text';
import { type ConfigFiles, type Lookup, mainLookup, serviceLookups, smtpdServices } from './configuration';
import { attributeOf, type Form, isCheckOf } from './policy-check';
import { type Effect, RESTRICTIONS } from './restriction-table';

export const RECIPIENT_LIST = 'smtpd_recipient_restrictions';

/** A `check_policy_service` in a restriction list. */
export interface Check extends Form {
  readonly list: string;
  /**
   * The argument of check_policy_service. If a list is too long to be read to its end, a last check with an empty target
   * stands for the part that was not read.
   */
  readonly target: string;
  readonly skip: Skip | null;
}

/** What may end the list before a check. */
export interface Skip {
  /** The restriction; if there are several, the most certain one. */
  readonly by: string;
  /**
   * Which of the clients that have authenticated skip the check. `always`: all. `sometimes`: some, or it is not known.
   * `table`: those that an access table (check_..._access) permits, which the administrator most likely meant.
   */
  readonly certainty: 'table' | 'sometimes' | 'always';
}

/**
 * How the service asks `policy` (see `isCheckOf`): by the most reliable check of its lists; undefined if it does not ask.
 * Postfix runs with `stress` empty or with `stress=yes`, which can change the lists: the result is the worse of the two.
 */
export function serviceCheck(files: ConfigFiles, service: Service, policy: string): Check | undefined {
  const found = serviceLookups(files, service).map((lookup) => {
    const checks = policyChecks(lookup).filter(({ target }) => target === '' || isCheckOf(policy, target));
    return checks.sort((a, b) => rank(a) - rank(b))[0];
  });
  return found.reduce((worst, check) => (rank(check) > rank(worst) ? check : worst));
}

/** 0 for a check that surely refuses, higher for less reliable ones. */
function rank(check?: Check): number {
  if (check === undefined) return 4;
  if (check.skip !== null) return check.skip.certainty === 'table' ? 2 : 3;
  return check.trial ? 1 : 0;
}

/** The targets of all checks in main.cf and in the overrides of each smtpd service. */
export function policyTargets(files: ConfigFiles): string[] {
  const lookups = smtpdServices(files).flatMap((service) => serviceLookups(files, service));
  const checks = [mainLookup(files), ...lookups].flatMap(policyChecks);
  return [...new Set(checks.map(({ target }) => target))];
}

/** All checks of an smtpd service in the lists where the SASL user name is known, in the order of evaluation. */
export function policyChecks(lookup: Lookup): Check[] {
  // With smtpd_delay_reject=no the client and HELO lists are evaluated before the client can authenticate.
  const delayed = !/^(no|false)$/i.test(lookup('smtpd_delay_reject') ?? 'yes');
  const early = delayed ? ['client', 'helo'] : [];
  const lists = [...early, 'sender', 'relay', 'recipient', 'data', 'end_of_data'];
  return lists.flatMap((name) => checksIn(`smtpd_${name}_restrictions`, lookup));
}

/** How deep smtpd lets restriction classes nest. */
const DEEPEST = 100;
/** The most words to read of a list. Nested classes can grow exponentially. */
const MOST_WORDS = 10_000;

/** The checks of a list, with restriction classes expanded. */
function checksIn(list: string, lookup: Lookup): Check[] {
  const checks: Check[] = [];
  const wordsIn = (name: string) => wordsOf(lookup(name) ?? '', COMMA_OR_SPACE);
  const classes = wordsIn('smtpd_restriction_classes').filter((name) => lookup(name) !== null);
  const contents = new Map(classes.map((name) => [name, wordsIn(name)]));
  let skip: Skip | null = null;
  let left = MOST_WORDS;
  const readAll = (words: readonly string[], onTrial: boolean, depth: number) => {
    let trial = onTrial;
    for (let i = 0; i < words.length && left > 0; i++) {
      left--;
      const original = words[i] ?? '';
      const word = original.toLowerCase();
      if (word === 'warn_if_reject') {
        trial = true;
        continue;
      }
      const known = RESTRICTIONS.get(word);
      const inside = known === undefined && depth < DEEPEST ? contents.get(original) : undefined;
      if (inside !== undefined) readAll(inside, trial, depth + 1);
      else {
        const argument = known?.argument ? (words[++i] ?? null) : null;
        // A full path in the queue directory names the same socket as private/NAME.
        const target = argument?.replace(`:${lookup('queue_directory')}/private/`, ':private/') ?? '';
        if (word === 'check_policy_service' && target !== '') {
          checks.push({ list, target, oneShot: attributeOf(target, 'request_limit') === '1', trial, skip });
        }
        // Under warn_if_reject a refusal is only logged.
        const goesOn = known?.effect === 'goes on' || (known?.effect === 'ends' && trial);
        if (!goesOn) {
          const found = skipBy(known === undefined ? original : word, argument, known?.effect);
          if (skip === null || ORDER.indexOf(found.certainty) > ORDER.indexOf(skip.certainty)) skip = found;
        }
      }
      trial = onTrial;
    }
  };
  readAll(wordsIn(list), false, 0);
  const tooLong: Skip = { by: 'a part that is too long to judge', certainty: 'sometimes' };
  return left > 0 ? checks : [...checks, { list, target: '', oneShot: false, trial: false, skip: tooLong }];
}

const ORDER: readonly Skip['certainty'][] = ['table', 'sometimes', 'always'];

/** `effect`: undefined for an unknown word, which may permit. */
function skipBy(word: string, argument: string | null, effect: Effect | undefined): Skip {
  const by = argument === null ? word : `${word} ${argument}`;
  // A static: table gives every client the same answer.
  const isStatic = /^check_\S+ static:\{?\s*(ok|\d+|permit|permit_sasl_authenticated)\s*\}?$/i.test(by);
  if (isStatic || effect === 'permits' || effect === 'ends') return { by, certainty: 'always' };
  return { by, certainty: word.startsWith('check_') ? 'table' : 'sometimes' };
}
