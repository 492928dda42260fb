// Numbers for pairs of 32-bit integers: each different pair gets the next number from 0 on. A fraction of the memory of a Map.
import { placed, withRoom } from './columns';

export class PairTable {
  size = 0;
  private pairs = new Int32Array(2 << 8);
  private places = new Int32Array(1 << 9);

  /** The number of the pair, a new one when it has none yet. */
  numberOf(first: number, second: number): number {
    const mask = this.places.length - 1;
    for (let place = hashOf(first, second) & mask; ; place = (place + 1) & mask) {
      const number = (this.places[place] as number) - 1;
      if (number < 0) return this.add(first, second, place);
      if (this.pairs[number * 2] === first && this.pairs[number * 2 + 1] === second) return number;
    }
  }

  firstOf(number: number): number {
    return this.pairs[number * 2] as number;
  }

  secondOf(number: number): number {
    return this.pairs[number * 2 + 1] as number;
  }

  private add(first: number, second: number, place: number): number {
    const number = this.size++;
    this.pairs = withRoom(this.pairs, number * 2 + 1);
    this.pairs[number * 2] = first;
    this.pairs[number * 2 + 1] = second;
    this.places[place] = number + 1;
    if (this.size * 3 > this.places.length * 2) {
      this.places = placed(this.size, this.places.length * 2, (other) =>
        hashOf(this.firstOf(other), this.secondOf(other)),
      );
    }
    return number;
  }
}

function hashOf(first: number, second: number): number {
  const mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
