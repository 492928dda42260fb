// A row that the decision is told of, with its text made when somebody wants it.
import type { Entry } from '../policy/decide';
import { formatNetwork, type Network } from './network';
import { foldName } from './subject';

/** A row that may grant: its network contains the address, or is a set that may. */
export class Found implements Entry {
  /** `meaning`: a network, or the text that stands in the row. */
  constructor(
    private readonly meaning: Network | string,
    readonly expires: unknown,
    readonly set: string | null = null,
  ) {}

  /** Put into words when it is wanted, which it seldom is. */
  get network(): string {
    return typeof this.meaning === 'string' ? this.meaning : formatNetwork(this.meaning);
  }

  /** The set that stands in place of a network. */
  get names(): string | null {
    if (typeof this.meaning !== 'string' || !this.meaning.startsWith('@')) return null;
    return foldName(this.meaning.slice(1));
  }

  /** A member of a set, as the entry of who has the set. */
  through(set: string, expires: unknown): Found {
    return new Found(this.meaning, expires, set);
  }
}
