// Calendar days in local time, as numbers: days since 1970-01-01.

const DAY = 86_400;
/** No zone changes its clock within a quarter of an hour. */
const BLOCK = 900;

export class LocalDays {
  private block = Number.NaN;
  private day = 0;

  /** The day on which the moment (seconds since 1970) falls. */
  of(seconds: number): number {
    const block = Math.floor(seconds / BLOCK);
    if (block !== this.block) {
      const date = new Date(seconds * 1000);
      this.day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 1000 / DAY;
      this.block = block;
    }
    return this.day;
  }
}

/** `2026-11-04`. */
export function dayText(day: number): string {
  return new Date(day * DAY * 1000).toISOString().slice(0, 10);
}
