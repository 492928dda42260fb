// Evaluates restriction lists as smtpd does, to find which policy services an smtpd service asks, and what may end a
// list before that.
//
// smtpd evaluates a list until a restriction decides, and `permit` makes it skip the rest of that list
// (SMTPD_ACCESS_README, "How Postfix evaluates SMTP access restriction lists"). So a check must stand before every
// restriction of its list that may permit. An unknown restriction may permit: the doctor then warns.
import { COMMA_OR_SPACE, type Service, wordsOf } from './config-text';
import { type ConfigFiles, type Lookup, mainLookup, serviceLookups, smtpdServices } from './configuration';
import { attributeOf, isCheckOf } from './policy-check';
import { type Effect, RESTRICTIONS } from './restriction-table';

export const RECIPIENT_LIST = 'smtpd_recipient_restrictions';

/** A `check_policy_service` in a restriction list. */
export interface Check {
  readonly list: string;
  /** The argument of check_policy_service. */
  readonly target: string;
  /** `request_limit=1`: smtpd closes the connection after each reply (Postfix 3.0 and later). */
  readonly oneShot: boolean;
  /** `warn_if_reject` applies to it: refusals are only logged. */
  readonly trial: boolean;
  readonly skip: Skip | null;
}

/** What may end the list before a check. */
export interface Skip {
  /** The restriction; if there are several, the most certain one. */
  readonly by: string;
  /** Whether it ends the list for every client that has authenticated. */
  readonly always: boolean;
  /** Whether only tables stand before the check (check_..._access), which an administrator puts there on purpose. */
  readonly tables: boolean;
}

/** The first check of `policy` (see `isCheckOf`) in each list, sorted so that the most reliable one is first. */
export function checksOf(lookup: Lookup, policy: string): Check[] {
  const ours = policyChecks(lookup).filter(({ target }) => isCheckOf(policy, target));
  const first = ours.filter(({ list }, i) => ours.findIndex((one) => one.list === list) === i);
  return first.sort((a, b) => rank(a) - rank(b));
}

/** Like `checksOf`, with `stress` empty and with `stress=yes`: the less reliable result. */
export function serviceChecks(files: ConfigFiles, service: Service, policy: string): Check[] {
  const all = serviceLookups(files, service).map((lookup) => checksOf(lookup, policy));
  return all.sort(([a], [b]) => rank(b) - rank(a))[0] ?? [];
}

/** 0 for a check that surely refuses, higher for less reliable ones. */
const rank = (check?: Check) =>
  check === undefined ? 4 : check.skip === null ? Number(check.trial) : check.skip.tables ? 2 : 3;

/** The targets of all checks in main.cf and in the overrides of each smtpd service. */
export function policyTargets(files: ConfigFiles): string[] {
  const lookups = smtpdServices(files).flatMap((service) => serviceLookups(files, service));
  return [...new Set([mainLookup(files), ...lookups].flatMap(policyChecks).map(({ target }) => target))];
}

/** All checks of an smtpd service, in the order of evaluation. */
export function policyChecks(lookup: Lookup): Check[] {
  return listsWithUser(lookup).flatMap((list) => {
    const before: Item[] = [];
    return itemsOf(lookup(list) ?? '', lookup).flatMap((item): Check[] => {
      const { word, argument, trial, effect } = item;
      const skip = skipOf(before);
      if (effect !== 'goes on') before.push(item);
      if (word !== 'check_policy_service' || argument === null) return [];
      const target = argument.replace(`:${lookup('queue_directory')}/private/`, ':private/');
      return [{ list, target, oneShot: attributeOf(target, 'request_limit') === '1', trial, skip }];
    });
  });
}

/**
 * The lists in which the SASL user name is known, in the order of evaluation. With smtpd_delay_reject=no the client and
 * HELO lists are evaluated before the client can authenticate.
 */
function listsWithUser(lookup: Lookup): string[] {
  const delayed = !/^(no|false)$/i.test(lookup('smtpd_delay_reject') ?? 'yes');
  const early = delayed ? ['client', 'helo'] : [];
  const lists = [...early, 'sender', 'relay', 'recipient', 'data', 'end_of_data'];
  return lists.map((name) => `smtpd_${name}_restrictions`);
}

/** A restriction with its argument. `trial`: warn_if_reject applies to it. */
interface Item {
  readonly word: string;
  readonly argument: string | null;
  readonly trial: boolean;
  readonly effect: Effect;
}

/** How deep smtpd lets restriction classes nest. */
const DEEPEST = 100;
/** The most restrictions in a list. Nested classes can grow exponentially. */
const LONGEST = 10_000;

/** The restrictions of a list in the order of evaluation, with restriction classes expanded. */
function itemsOf(list: string, lookup: Lookup): Item[] {
  const classes = new Set(wordsOf(lookup('smtpd_restriction_classes') ?? '', COMMA_OR_SPACE));
  const items: Item[] = [];
  const addAll = (text: string, onTrial: boolean, depth: number) => {
    const words = wordsOf(text, COMMA_OR_SPACE);
    let trial = onTrial;
    for (let i = 0; i < words.length && items.length < LONGEST; i++) {
      const original = words[i] ?? '';
      const word = original.toLowerCase();
      if (word === 'warn_if_reject') {
        trial = true;
        continue;
      }
      const known = RESTRICTIONS.get(word);
      const inside = known === undefined && classes.has(original) ? lookup(original) : null;
      if (known !== undefined) {
        const argument = known.argument ? (words[++i] ?? null) : null;
        items.push({ word, argument, trial, effect: effectOf(word, argument, trial, known.effect) });
      } else if (inside !== null && depth < DEEPEST) addAll(inside, trial, depth + 1);
      else items.push({ word: original, argument: null, trial, effect: 'may permit' });
      trial = onTrial;
    }
  };
  addAll(list, false, 0);
  const endless: Item = { word: 'a list that is too long', argument: null, trial: false, effect: 'may permit' };
  return items.length < LONGEST ? items : [endless, ...items];
}

function effectOf(word: string, argument: string | null, trial: boolean, effect: Effect): Effect {
  // Under warn_if_reject a refusal is only logged.
  if (effect === 'ends' && trial) return 'goes on';
  // A static: table gives every client the same answer.
  const always = /^static:\{?\s*(ok|\d+|permit|permit_sasl_authenticated)\s*\}?$/i.test(argument ?? '');
  return always && word.startsWith('check_') ? 'permits' : effect;
}

function skipOf(before: readonly Item[]): Skip | null {
  const surest = before.find(({ effect }) => effect !== 'may permit');
  const other = before.find(({ word }) => !word.startsWith('check_'));
  const by = surest ?? other ?? before[0];
  if (by === undefined) return null;
  const text = by.argument === null ? by.word : `${by.word} ${by.argument}`;
  return { by: text, always: surest !== undefined, tables: surest === undefined && other === undefined };
}
