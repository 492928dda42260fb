// What a database says about a user: the subjects whose entries decide, and what each of them has.
import type { Address } from './address';
import { expiryMoment } from './expiry';
import { subjectsOf } from './subject';

/** An entry of the database: `network` as stored, with the `set` through which the subject has it. */
export interface Entry {
  readonly network: string;
  readonly set: string | null;
  readonly expires: unknown;
}

/** The entries of one subject that has at least one; expired ones too. */
export interface SubjectRules {
  /** Its entries `none`. */
  readonly blocks: readonly Entry[];
  /** Its entries `inherit`. */
  readonly inherits: readonly Entry[];
  /** Its entries whose networks contain the address. */
  covering(address: Address): Iterable<Entry>;
}

/** What the decision reads of a database, all of it about one state of that database. */
export interface Rules {
  /** Null when the subject has no entry at all. One that cannot be read is an entry. */
  of(subject: string): SubjectRules | null;
}

/** The subjects whose entries decide for a user: the narrowest that has an entry, and by an entry `inherit` the next wider one. */
export function* deciding(user: string, rules: Rules, now: number): Iterable<{ subject: string; own: SubjectRules }> {
  for (const subject of subjectsOf(user)) {
    const own = rules.of(subject);
    if (own === null) continue;
    yield { subject, own };
    if (!own.inherits.some(({ expires }) => now < expiryMoment(expires))) return;
  }
}
