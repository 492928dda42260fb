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
  /** The entries of a subject whose network contains the address, expired ones too. */
  covering(subject: string, address: Address): Iterable<Entry>;
  /** Whether a subject has at least one entry, whether or not that entry grants anything. */
  has(subject: string): boolean;
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
  const address = parseAddress(asked.address);
  for (const subject of subjectsOf(asked.user, asked.wellFormed)) {
    let expired: Entry | null = null;
    if (address !== null) {
      for (const entry of state.covering(subject, address)) {
        if (now < expiryMoment(entry.expires)) return { kind: 'allowed', subject, entry };
        expired ??= entry;
      }
    }
    // The first subject with an entry decides: those that come after it are not asked.
    if (expired !== null) return { kind: 'refused', why: 'expired', subject, entry: expired };
    if (!state.has(subject)) continue;
    return { kind: 'refused', why: address === null ? 'no-address' : 'not-covered', subject, entry: null };
  }
  return { kind: 'refused', why: 'no-entry', subject: null, entry: null };
}
