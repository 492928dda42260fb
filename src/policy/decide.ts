// The decision: a pure function from a SASL user name, a client address and the rules to a verdict.
// The policy program and `allow-nets check` decide by this function and no other.
import { type Address, parseAddress } from '../rules/address';
import { expiryMoment } from '../rules/expiry';
import { subjectsOf } from '../rules/subject';

/** An entry of the database: `network` as stored, with the `set` through which the subject has it. */
export interface Entry {
  readonly network: string;
  readonly set: string | null;
  readonly expires: unknown;
}

/** What the decision asks of a database, all of it about one state of that database. */
export interface Rules {
  /** The first of the subjects that has at least one entry, whether or not that entry grants anything. */
  deciding(subjects: readonly string[]): string | null;
  /** The entries of a subject whose network contains the address, expired ones too. */
  covering(subject: string, address: Address): Iterable<Entry>;
}

export interface Asked {
  /** `sasl_username`; empty when the client did not authenticate. */
  readonly user: string;
  /** False when the user name held bytes that are not UTF-8. */
  readonly wellFormed: boolean;
  /** `client_address`, as Postfix sent it. */
  readonly address: string;
}

export type Verdict =
  | { readonly kind: 'no-user' }
  | { readonly kind: 'allowed'; readonly subject: string; readonly entry: Entry }
  | {
      readonly kind: 'refused';
      readonly why: 'no-entry' | 'no-address' | 'not-covered' | 'expired';
      readonly subject: string | null;
      readonly entry: Entry | null;
    };

/** `now`: ms since 1970. `rules` is asked only when there is a user: mail from strangers does not depend on the database. */
export function decide(asked: Asked, rules: () => Rules, now: number): Verdict {
  if (asked.user === '') return { kind: 'no-user' };
  const state = rules();
  const subject = state.deciding(subjectsOf(asked.user, asked.wellFormed));
  if (subject === null) return { kind: 'refused', why: 'no-entry', subject, entry: null };
  const address = parseAddress(asked.address);
  if (address === null) return { kind: 'refused', why: 'no-address', subject, entry: null };
  let expired: Entry | null = null;
  for (const entry of state.covering(subject, address)) {
    if (now < expiryMoment(entry.expires)) return { kind: 'allowed', subject, entry };
    expired ??= entry;
  }
  return { kind: 'refused', why: expired === null ? 'not-covered' : 'expired', subject, entry: expired };
}
