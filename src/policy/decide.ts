// The decision: a pure function from a SASL user name, a client address and the rules to a verdict.
// The policy program, `allow-nets check` and `allow-nets replay` decide by this function and no other.
//
// A subject is a user, a domain (`@example.com`) or everybody (`*`). A SASL user name comes from the network, so it is
// only compared: after folding it must equal a subject exactly.
import type { Entry, Rules, SubjectRules } from '../rules/lookup';
import { EVERYBODY, expiryMoment, foldName, hasExpired, isComparable } from '../rules/meaning';
import { parseAddress } from '../rules/network';

export interface Query {
  /** `sasl_username`; empty if the client did not authenticate. Invalid UTF-8 is replaced by U+FFFD. */
  readonly user: string;
  /** `client_address`, as Postfix sent it. */
  readonly address: string;
}

export type Verdict =
  | { readonly kind: 'no-user' }
  | {
      readonly kind: 'allowed';
      readonly subject: string;
      readonly entry: Entry;
      readonly passed: readonly string[];
    }
  | Refusal;

/** `passed`: the narrower subjects that left the decision to a wider one by an entry `inherit`. */
export interface Refusal {
  readonly kind: 'refused';
  readonly why: 'no-entry' | 'no-address' | 'not-covered' | 'expired' | 'blocked';
  readonly subject: string | null;
  readonly entry: Entry | null;
  readonly passed: readonly string[];
}

/**
 * `now`: ms since 1970. Without a user the rules are not read: unauthenticated mail must not depend on the database.
 */
export function decide(query: Query, rules: Rules, now: number): Verdict {
  if (query.user === '') return { kind: 'no-user' };
  const address = parseAddress(query.address);
  const passed: string[] = [];
  let refusal: Refusal = { kind: 'refused', why: 'no-entry', subject: null, entry: null, passed };
  for (const { subject, entries } of decidingSubjects(query.user, rules, now)) {
    if (refusal.subject !== null) passed.push(refusal.subject);
    const block = entries.blocks.find(({ expires }) => !hasExpired(expires, now));
    if (block !== undefined) return { kind: 'refused', why: 'blocked', subject, entry: block, passed };
    let expired: Entry | null = null;
    for (const entry of address === null ? [] : entries.covering(address)) {
      if (now < expiryMoment(entry.expires)) return { kind: 'allowed', subject, entry, passed };
      expired ??= entry;
    }
    const why = address === null ? 'no-address' : expired === null ? 'not-covered' : 'expired';
    refusal = { kind: 'refused', why, subject, entry: expired, passed };
  }
  return refusal;
}

/**
 * The subjects whose entries decide: the narrowest with entries, and after an entry `inherit` also the next wider one.
 */
export function* decidingSubjects(
  user: string,
  rules: Rules,
  now: number,
): Iterable<{ subject: string; entries: SubjectRules }> {
  for (const subject of subjectsOf(user)) {
    const entries = rules.of(subject);
    if (entries === null) continue;
    yield { subject, entries };
    if (!entries.inherits.some(({ expires }) => now < expiryMoment(expires))) return;
  }
}

/**
 * The subjects of a SASL user name, folded, narrowest first: `user@domain`, `user`, `@domain`, `*`. The domain starts
 * after the last `@`. A local part that is `*` or contains an `@` is left out, since it would mean another subject.
 */
export function subjectsOf(user: string): string[] {
  const name = foldName(user);
  const at = name.lastIndexOf('@');
  const local = name.slice(0, Math.max(0, at));
  const isUser = !local.includes('@') && local !== EVERYBODY;
  const wider = at < 0 ? [] : [...(isUser ? [local] : []), name.slice(at)];
  return [name, ...wider, EVERYBODY].filter(isComparable);
}
