// What was found out about texts, by the numbers that their reader gave them: the place of a user in a network and the number of a grant
// (tally). One for each reader, since each gives numbers of its own.
import { withRoom } from './columns';

export class Answers {
  private places = new Int32Array(1 << 8);
  private grants = new Int32Array(1 << 8);

  set(number: number, place: number, grant: number): void {
    this.places = withRoom(this.places, number);
    this.grants = withRoom(this.grants, number);
    this.places[number] = place;
    this.grants[number] = grant;
  }

  placeOf(number: number): number {
    return this.places[number] as number;
  }

  grantOf(number: number): number {
    return this.grants[number] as number;
  }
}
