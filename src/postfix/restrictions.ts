// Restriction lists as smtpd evaluates them: whether the policy service is asked in one, and what stands in the way.
//
// A list is evaluated from its start until a restriction decides; `permit` ends that list alone, the others are evaluated all the same
// (SMTPD_ACCESS_README, "How Postfix evaluates SMTP access restriction lists"). So the check must stand before whatever may permit.
import { type FoundCheck, isCheckOf, isOneShot } from './policy-check';
import { COMMA_OR_SPACE, tokensOf } from './tokens';

/** The raw value of a parameter as one smtpd service sees it, or null when it is not set. */
export type Lookup = (name: string) => string | null;

/** A restriction, with what it is applied to. */
export interface Item {
  readonly word: string;
  readonly target: string | null;
  readonly trial: boolean;
}

const TARGETED =
  /^(check_.+|reject_rbl.*|reject_rhsbl.*|permit_dnswl.*|permit_rhswl.*|reject_maps_rbl|sleep)$/;

const DEEPEST = 10;

/** `$name`, `${name}` and `$(name)` replaced; conditional expressions stay as they are. */
export function expanded(text: string, lookup: Lookup, depth = 0): string {
  if (depth >= DEEPEST) return text;
  return text.replace(/\$(?:(\w+)|\{(\w+)\}|\((\w+)\))/g, (_, plain, braced, round) =>
    expanded(lookup(plain ?? braced ?? round) ?? '', lookup, depth + 1),
  );
}

/** The restrictions of a list in the order of evaluation, with those of restriction classes in their place. */
export function itemsOf(list: string, lookup: Lookup, depth = 0): Item[] {
  const classes = new Set(words(expanded(lookup('smtpd_restriction_classes') ?? '', lookup)));
  const items: Item[] = [];
  let trial = false;
  const tokens = words(expanded(list, lookup));
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? '';
    const word = token.toLowerCase();
    if (word === 'warn_if_reject') {
      trial = true;
      continue;
    }
    if (classes.has(token) && depth < DEEPEST) {
      items.push(...itemsOf(lookup(token) ?? '', lookup, depth + 1));
    } else {
      items.push({ word, target: TARGETED.test(word) ? (tokens[++i] ?? null) : null, trial });
    }
    trial = false;
  }
  return items;
}

const words = (text: string) => tokensOf(text, COMMA_OR_SPACE).map(({ text: word }) => word);

/** What a restriction that stands before the check means for it, about a client that has authenticated. */
type Obstacle = 'none' | 'may skip' | 'skips';

function obstacleOf({ word, trial }: Item): Obstacle {
  if (/^(permit|permit_sasl_authenticated)$/.test(word)) return 'skips';
  if (/^(reject|defer)$/.test(word)) return trial ? 'none' : 'skips';
  if (/^(permit|check)_/.test(word)) return 'may skip';
  // A table without a keyword, or an expression that only Postfix can evaluate.
  return /[:$]/.test(word) ? 'may skip' : 'none';
}

export type Reach =
  | { readonly kind: 'asked'; readonly oneShot: boolean; readonly trial: boolean }
  | {
      readonly kind: 'skipped';
      /** Whether that is so for every client that has authenticated. */
      readonly always: boolean;
      /** The restriction that stands before it. */
      readonly by: string;
      readonly oneShot: boolean;
      readonly trial: boolean;
    }
  | { readonly kind: 'absent' };

/** Whether a list asks the service. */
export function reachOf(items: readonly Item[], service: string): Reach {
  let skips: { always: boolean; by: string } | null = null;
  for (const item of items) {
    const { target, trial } = item;
    if (item.word === 'check_policy_service' && target !== null && isCheckOf(service, target)) {
      const form = { oneShot: isOneShot(target), trial };
      return skips === null ? { kind: 'asked', ...form } : { kind: 'skipped', ...skips, ...form };
    }
    const obstacle = obstacleOf(item);
    const by = target === null ? item.word : `${item.word} ${target}`;
    if (obstacle === 'skips' && !skips?.always) skips = { always: true, by };
    else if (obstacle === 'may skip') skips ??= { always: false, by };
  }
  return { kind: 'absent' };
}

/**
 * Whether a check stands well in the list it is written in: nothing of what `install` must be ahead of comes before it. A table that the
 * administrator put first on purpose is none of that.
 */
export function standsWell(list: string, check: FoundCheck, lookup: Lookup): boolean {
  return itemsOf(list.slice(0, check.start), lookup).every(
    (item) => obstacleOf(item) === 'none' || /^check_/.test(item.word),
  );
}
