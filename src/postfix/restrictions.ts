// Restriction lists as smtpd evaluates them: whether the policy service is asked in one, and what stands before it.
//
// A list is evaluated from its start until a restriction decides; `permit` ends that list alone, the others are evaluated all the same
// (SMTPD_ACCESS_README, "How Postfix evaluates SMTP access restriction lists"). So the check must stand before whatever may permit.
// What is not understood may permit: a warning, never ok.
import { type Form, formOf, isCheckOf } from './policy-check';
import { type Effect, RESTRICTIONS } from './restriction-table';
import { COMMA_OR_SPACE, wordsOf } from './tokens';

/** The value of a parameter as one smtpd service sees it, expanded by Postfix; null for one that Postfix does not know. */
export type Lookup = (name: string) => string | null;

/** A restriction, with its argument. `trial`: warn_if_reject holds for it. */
export interface Item {
  readonly word: string;
  readonly argument: string | null;
  readonly trial: boolean;
  readonly effect: Effect;
}

/** As smtpd(8), which ends in deeper classes. */
const DEEPEST = 100;
/** Classes can name each other so that a list has no end. */
const LONGEST = 10_000;

/** The restrictions of a list in the order of evaluation, with those of restriction classes in their place. */
export function itemsOf(list: string, lookup: Lookup): Item[] {
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
  if (items.length >= LONGEST)
    return [{ word: 'a list that is too long', argument: null, trial: false, effect: 'may permit' }, ...items];
  return items;
}

function effectOf(word: string, argument: string | null, trial: boolean, effect: Effect): Effect {
  if (effect === 'ends' && trial) return 'goes on';
  const always = /^static:\{?\s*(ok|\d+|permit|permit_sasl_authenticated)\s*\}?$/i.test(argument ?? '');
  return always && word.startsWith('check_') ? 'permits' : effect;
}

export type Reach =
  | ({ readonly kind: 'asked' } & Form)
  | ({
      readonly kind: 'skipped';
      /** Whether that is so for every client that has authenticated. */
      readonly always: boolean;
      /** The restriction that stands before the check; of several the one that lets most clients pass. */
      readonly by: string;
      /** Whether only tables stand before it (check_..._access), which an administrator puts there on purpose. */
      readonly tables: boolean;
    } & Form)
  | { readonly kind: 'absent' };

/** Whether a list asks the service. */
export function reachOf(items: readonly Item[], service: string): Reach {
  const before: Item[] = [];
  for (const item of items) {
    if (item.word === 'check_policy_service' && item.argument !== null && isCheckOf(service, item.argument)) {
      const form = { ...formOf(item.argument), trial: item.trial };
      const by = before.find(({ effect }) => effect !== 'may permit') ?? before.find(isNoTable) ?? before[0];
      if (by === undefined) return { kind: 'asked', ...form };
      const always = by.effect !== 'may permit';
      return { kind: 'skipped', always, by: textOf(by), tables: !always && !isNoTable(by), ...form };
    }
    if (item.effect !== 'goes on') before.push(item);
  }
  return { kind: 'absent' };
}

const isNoTable = ({ word }: Item) => !word.startsWith('check_');

const textOf = ({ word, argument }: Item) => (argument === null ? word : `${word} ${argument}`);
