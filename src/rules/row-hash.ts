// 96 bits of hash of a row's columns, taken from single texts or from many rows that SQLite has joined into one text: the same for both.
//
// No cryptographic hash: against somebody who makes rows for the purpose there is a secret start, another one each time.
import { randomFillSync } from 'node:crypto';

/** What ends a column and a row in a joined text. */
export const COLUMN_END = 0x1f;
export const ROW_END = 0x1e;
/** What stands for no text at all, where that is not the same as an empty one. */
export const NO_TEXT = '\x02';

const A = 0x9e3779b1;
const B = 0x5f356495;
const C = 0x85ebca6b;

export class RowHash {
  /** The hash, three times 32 bits with a sign. */
  a = 0;
  b = 0;
  c = 0;
  private readonly start = randomFillSync(new Int32Array(3));

  begin(): void {
    const { start } = this;
    this.a = start[0] ?? 0;
    this.b = start[1] ?? 0;
    this.c = start[2] ?? 0;
  }

  /** One column and its end. */
  column(text: string): void {
    let { a, b, c } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      a = Math.imul(a ^ code, A);
      b = Math.imul(b ^ code, B);
      c = Math.imul(c ^ code, C);
      a ^= a >>> 15;
    }
    a = Math.imul(a ^ COLUMN_END, A);
    this.a = a ^ (a >>> 15);
    this.b = Math.imul(b ^ COLUMN_END, B);
    this.c = Math.imul(c ^ COLUMN_END, C);
  }

  /**
   * All columns of the row that begins at `from`.
   * @returns where the next row begins, or -1 when this one has not as many columns: a control character stands in one of them
   */
  joined(text: string, from: number, columns: number): number {
    this.begin();
    let { a, b, c } = this;
    let ends = 0;
    let i = from;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code <= COLUMN_END) {
        if (code === ROW_END) break;
        if (code === COLUMN_END) ends++;
      }
      a = Math.imul(a ^ code, A);
      b = Math.imul(b ^ code, B);
      c = Math.imul(c ^ code, C);
      a ^= a >>> 15;
    }
    this.a = a;
    this.b = b;
    this.c = c;
    return ends === columns && i < text.length ? i + 1 : -1;
  }
}
