// Numbers for IPv6 networks: each different one gets the next number from 0 on.
import { PairTable } from './pair-table';

export class V6Numbers {
  private readonly upper = new PairTable();
  private readonly lower = new PairTable();
  private readonly both = new PairTable();

  /** `bytes`: 16. */
  numberOf(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    const upper = this.upper.numberOf(view.getInt32(0), view.getInt32(4));
    const lower = this.lower.numberOf(view.getInt32(8), view.getInt32(12));
    return this.both.numberOf(upper, lower);
  }

  bytesOf(number: number): Uint8Array {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    const upper = this.both.firstOf(number);
    const lower = this.both.secondOf(number);
    view.setInt32(0, this.upper.firstOf(upper));
    view.setInt32(4, this.upper.secondOf(upper));
    view.setInt32(8, this.lower.firstOf(lower));
    view.setInt32(12, this.lower.secondOf(lower));
    return bytes;
  }
}
